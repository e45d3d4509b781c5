// The transport of a hub without a network: it can be waited on and woken, and nothing ever arrives.
#pragma once

#include "processhub/transport.hpp"

namespace processhub::runtime {

class NoNetwork final : public Transport {
 public:
  NoNetwork();
  ~NoNetwork() override;
  NoNetwork(const NoNetwork&) = delete;
  NoNetwork& operator=(const NoNetwork&) = delete;

  Result<BoundAddresses> bind(const std::string&, const std::string&) override { return BoundAddresses{}; }
  void connect(LinkId, const std::string&) override {}
  void disconnect(LinkId) override {}
  void subscribe(const std::string&) override {}
  void unsubscribe(const std::string&) override {}
  SendStatus send(LinkId, std::string_view) override { return SendStatus::unroutable; }
  SendStatus reply(RouteId, std::string_view) override { return SendStatus::unroutable; }
  SendStatus publish(std::string_view) override { return SendStatus::ok; }
  bool poll(std::chrono::microseconds timeout, TransportEvents& events, int budget) override;
  void wake() override;
  void close() override {}

 private:
  int event_fd_;
};

}  // namespace processhub::runtime
