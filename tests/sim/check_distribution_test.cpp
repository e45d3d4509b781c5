// The family's scenarios: all built-in distributions pass them, and each kind of mistake is found and named.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "processhub/testing.hpp"
#include "strategies/builtin.hpp"

namespace check_distribution_test {

namespace {

namespace ph = processhub;
using ph::testing::check_distribution;
using ph::testing::DistributionCase;
using Owners = std::vector<ph::NodeId>;

/// Right by itself: the first members, in order of name. A mistake is put in with one of the functions.
struct Mistakes {
  std::function<void(const ph::HubView&, const ph::ChildKey&, std::size_t, Owners&)> owners{};
  std::string name = "mine";
  std::vector<std::string> options{};
  bool takes_all_options = false;
  std::string refuses{};
};

class Mine : public ph::Distribution {
 public:
  explicit Mine(Mistakes mistakes) : mistakes_(std::move(mistakes)) {}
  std::string_view name() const override { return mistakes_.name; }
  void prepare(const ph::HubView& view) override { view_ = view; }
  ph::Result<void> check(const ph::ChildSpec& spec, std::size_t, const ph::HubView&) const override {
    if (spec.id != mistakes_.refuses) return {};
    return {ph::ErrorCode::invalid, "not " + spec.id};
  }
  void owners(const ph::ChildKey& child, std::size_t replicas, Owners& out) const override {
    if (mistakes_.owners) return mistakes_.owners(view_, child, replicas, out);
    for (std::size_t i = 0; i < std::min(replicas, view_.members.size()); ++i)
      out.push_back(view_.members[i].id);
  }

 private:
  Mistakes mistakes_;
  ph::HubView view_{};
};

DistributionCase with(Mistakes mistakes) {
  DistributionCase out;
  out.distribution.name = "mine";
  out.strategies.add_distribution(
      "mine",
      [mistakes](const ph::StrategyOptions& options) -> ph::Result<std::unique_ptr<ph::Distribution>> {
        if (auto known = ph::reject_unknown_options(options, mistakes.options);
            !known && !mistakes.takes_all_options)
          return known.error();
        return std::unique_ptr<ph::Distribution>(std::make_unique<Mine>(mistakes));
      });
  return out;
}

std::string wrong(const DistributionCase& what) { return check_distribution(what).str(); }

}  // namespace

TEST_CASE("check_distribution: every built-in distribution does what all must") {
  for (const auto& row : ph::builtin_strategies().names()) {
    if (!row.starts_with("distribution/")) continue;
    CAPTURE(row);
    DistributionCase what;
    what.distribution.name = row.substr(row.find('/') + 1);
    if (what.distribution.name == "guided") {
      what.may_wait = true;
      for (const std::size_t copies : {1, 2}) {
        what.copies = {copies};
        what.children.clear();
        for (int i = 0; i < 6; ++i) {
          const std::vector<std::string> homes{"node-" + std::to_string(i % 3 + 1),
                                               "node-" + std::to_string((i + 1) % 3 + 1)};
          what.children.push_back(
              {.id = "c" + std::to_string(i),
               .nodes = {homes.begin(), homes.begin() + static_cast<std::ptrdiff_t>(copies)}});
        }
        CHECK(check_distribution(what));
      }
    } else {
      CHECK(check_distribution(what));
    }
  }
}

TEST_CASE("check_distribution: unequal shares are no mistake") { CHECK(check_distribution(with({}))); }

TEST_CASE("check_distribution: mistakes with name and options are named") {
  CHECK(wrong(with({.name = "yours"})) ==
        "options: it is called 'mine' in the catalogue, and calls itself 'yours'");
  CHECK(wrong(with({.takes_all_options = true})) ==
        "options: it takes 'no_such_option' without an error (reject_unknown_options)");
  auto unknown = with({});
  unknown.distribution.name = "nonesuch";
  CHECK(wrong(unknown) ==
        "distribution: there is no strategy 'nonesuch'; there are: guided, load_balancer, mine, rendezvous");
}

TEST_CASE("check_distribution: wrong owners are named") {
  using View = ph::HubView;
  using Key = ph::ChildKey;
  const auto owners = [](auto f) { return wrong(with({.owners = f})); };
  CHECK(owners([](const View&, const Key&, std::size_t, Owners& out) {
          out.push_back(ph::NodeId::of("node-9", 1));
        }) == "shop-1/child-1 among no nodes: owned by node-9/1, which is no member");
  CHECK(owners([](const View&, const Key&, std::size_t, Owners&) {}) ==
        "shop-1/child-1 among node-1: 0 owners of 1: nowhere");
  CHECK(owners([](const View& view, const Key&, std::size_t, Owners& out) {
          for (const auto& m : view.members) out.push_back(m.id);
        }) == "shop-1/child-1 among node-1, node-2: 2 owners of 1: node-1, node-2");
  CHECK(owners([](const View& view, const Key&, std::size_t n, Owners& out) {
          for (std::size_t i = 0; i < std::min(n, view.members.size()); ++i)
            out.push_back(view.members.front().id);
        }) == "shop-1/child-1 among node-1, node-2: node-1 is named twice");
  CHECK(owners([](const View& view, const Key&, std::size_t n, Owners& out) {
          out.clear();
          for (std::size_t i = 0; i < std::min(n, view.members.size()); ++i)
            out.push_back(view.members[i].id);
        }) == "shop-1/child-1 among no nodes: owners() clears the list that it should append to");
}

TEST_CASE("check_distribution: owners that differ from node to node, or move without need, are named") {
  using View = ph::HubView;
  using Key = ph::ChildKey;
  const auto one_owner = [](auto pick) {
    auto what = with({.owners = [pick](const View& view, const Key& key, std::size_t n, Owners& out) {
      if (n > 0 && !view.members.empty()) out.push_back(pick(view, key));
    }});
    what.copies = {1};
    return wrong(what);
  };
  CHECK(one_owner([](const View& view, const Key&) {
          return view.self ? view.members.back().id : view.members.front().id;
        }) ==
        "shop-1/child-1 among node-1, node-2: one node says node-1, another one, with another past, node-2");
  CHECK(one_owner([calls = std::make_shared<std::size_t>(0)](const View& view, const Key&) {
          return view.members[(*calls)++ % view.members.size()].id;
        }).find("one node says") != std::string::npos);
  CHECK(one_owner([](const View& view, const Key& key) {
          return view.members[key.id_hash % view.members.size()].id;
        }).find(" because node-") != std::string::npos);
  CHECK(one_owner([](const View& view, const Key& key) {
          return key.explicit_node ? view.members.back().id : view.members.front().id;
        }) ==
        "shop-1/child-1 among node-1, node-2: belongs on node-1, but on node-2 if migrate named a node that "
        "is gone");
}

TEST_CASE("check_distribution: a child that it refuses is an error, by its own reason") {
  auto what = with({.refuses = "x"});
  what.children = {{.id = "x"}};
  CHECK(wrong(what) == "x among node-1, node-2, node-3, node-4, node-5: not x");
}

}  // namespace check_distribution_test
