#!/usr/bin/env python3
"""Shows that every rule of structure.py fails on a bad sample and is silent on a good one."""

import contextlib
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cpp_text  # noqa: E402
import structure  # noqa: E402


@contextlib.contextmanager
def tree(files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = Path(root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding='utf-8')
        yield root


def findings_of(rule, files):
    with tree(files) as root:
        checker = structure.Checker(root)
        getattr(checker, rule)()
        return checker.findings


def body(lines, head='void work() {', tail='}'):
    """A function of exactly this many lines."""
    return '\n'.join([head] + ['  step();'] * (lines - 2) + [tail]) + '\n'


class Includes(unittest.TestCase):
    EVERYTHING = {
        'core/include/processhub/ids.hpp': '#pragma once\n#include <string>\n',
        'core/log.hpp': '', 'core/protocol/codec.hpp': '', 'core/runtime/loop.hpp': '', 'core/config/ini.hpp': '',
        'strategies/distribution/ring.hpp': '', 'transport/zmq/socket.hpp': '', 'transport/sim/net.hpp': '',
        'transport/assembly/all.hpp': '', 'examples/a/a.hpp': '', 'examples/b/b.hpp': '', 'tools/hubd/x.hpp': '',
        'tests/support/x.hpp': '',
    }

    def check(self, name, include, allowed):
        found = findings_of('includes', {**self.EVERYTHING, name: f'// head\n#include {include}\n'})
        self.assertEqual(not found, allowed, f'{name} with {include}: {found}')
        for line in found:
            self.assertTrue(line.startswith(f'{name}:2: [includes] '), line)

    def test_arrows_that_are_allowed(self):
        for name, include in [
            ('core/include/processhub/a.hpp', '<processhub/ids.hpp>'), ('core/protocol/a.cpp', '<processhub/ids.hpp>'),
            ('core/protocol/a.cpp', '"core/protocol/codec.hpp"'), ('core/protocol/a.cpp', '"core/log.hpp"'),
            ('core/runtime/a.cpp', '"core/protocol/codec.hpp"'), ('core/config/a.cpp', '<processhub/ids.hpp>'),
            ('strategies/distribution/a.cpp', '"strategies/distribution/ring.hpp"'),
            ('transport/zmq/a.cpp', '"core/protocol/codec.hpp"'), ('transport/sim/a.cpp', '"core/protocol/codec.hpp"'),
            ('transport/assembly/a.cpp', '"transport/zmq/socket.hpp"'), ('examples/a/main.cpp', '"a.hpp"'),
            ('examples/a/main.cpp', '"examples/a/a.hpp"'), ('tools/hub-sim/a.cpp', '"transport/sim/net.hpp"'),
            ('tests/unit/a.cpp', '"tests/support/x.hpp"'), ('tests/unit/a.cpp', '"core/config/ini.hpp"'),
        ]:
            self.check(name, include, True)

    def test_arrows_that_point_back(self):
        for name, include in [
            ('core/include/processhub/a.hpp', '"core/protocol/codec.hpp"'),
            ('core/include/processhub/a.hpp', '"core/log.hpp"'),
            ('core/log.cpp', '"core/protocol/codec.hpp"'), ('core/protocol/a.cpp', '"core/runtime/loop.hpp"'),
            ('core/protocol/a.cpp', '"core/config/ini.hpp"'), ('core/protocol/a.cpp', '"strategies/distribution/ring.hpp"'),
            ('core/runtime/a.cpp', '"transport/zmq/socket.hpp"'), ('core/config/a.cpp', '"core/runtime/loop.hpp"'),
            ('strategies/distribution/a.cpp', '"core/protocol/codec.hpp"'), ('strategies/a.cpp', '"core/log.hpp"'),
            ('transport/zmq/a.cpp', '"transport/sim/net.hpp"'),
            ('transport/zmq/a.cpp', '"strategies/distribution/ring.hpp"'),
            ('transport/assembly/a.cpp', '"transport/sim/net.hpp"'), ('examples/a/main.cpp', '"core/log.hpp"'),
            ('examples/a/main.cpp', '"examples/b/b.hpp"'), ('tools/hubd/a.cpp', '"tests/support/x.hpp"'),
        ]:
            self.check(name, include, False)

    def test_form_of_an_include(self):
        self.check('core/protocol/a.cpp', '"processhub/ids.hpp"', True)
        self.check('core/protocol/a.cpp', '"msgpack.hpp"', False)
        self.check('core/protocol/a.cpp', '<core/protocol/codec.hpp>', False)
        self.check('core/protocol/a.cpp', '"codec.hpp"', False)
        self.check('core/protocol/a.cpp', '"../runtime/loop.hpp"', False)
        self.check('core/protocol/a.cpp', '<vector>', True)

    def test_a_commented_include_does_not_count(self):
        text = '// #include "core/runtime/loop.hpp"\n/*\n#include "core/runtime/loop.hpp"\n*/\n'
        self.assertEqual(findings_of('includes', {**self.EVERYTHING, 'core/protocol/a.cpp': text}), [])


class ThirdParty(unittest.TestCase):
    def check(self, name, header, allowed):
        found = findings_of('third_party', {name: f'#include <{header}>\n'})
        self.assertEqual(not found, allowed, f'{name} with {header}: {found}')

    def test_places(self):
        options = 'boost/program_options.hpp'
        self.check('core/config/a.cpp', options, True)
        self.check('tools/hubd/a.cpp', options, True)
        self.check('core/runtime/a.cpp', options, False)
        self.check('transport/zmq/a.cpp', 'zmq.hpp', True)
        self.check('tools/hub-bench/a.cpp', 'zmq.h', True)
        self.check('tests/live/a.cpp', 'zmq.hpp', True)
        self.check('tools/hubd/a.cpp', 'zmq.hpp', False)
        self.check('core/include/processhub/message.hpp', 'msgpack.hpp', True)
        self.check('core/protocol/codec_body.cpp', 'msgpack.hpp', True)
        self.check('core/include/processhub/hub.hpp', 'msgpack.hpp', False)
        self.check('core/include/processhub/hub.hpp', 'fmt/format.h', False)
        self.check('examples/a/main.cpp', 'nlohmann/json.hpp', False)
        self.check('core/log.cpp', 'spdlog/spdlog.h', True)

    def test_few_files(self):
        files = {f'core/runtime/f{n}.cpp': '#include <xxhash.h>\n' for n in range(3)}
        self.assertEqual(findings_of('third_party', files), [])
        files['core/runtime/f9.cpp'] = '#include <vector>\n#include <xxhash.h>\n'
        found = findings_of('third_party', files)
        self.assertEqual(len(found), 1)
        self.assertIn('core/runtime/f9.cpp:2: [third_party]', found[0])


class Bans(unittest.TestCase):
    BAD = [
        'auto t = std::chrono::steady_clock::now();', 'auto t = Clock::system_clock :: now();', 'sleep(1);',
        'std::this_thread::sleep_for(1s);', 'std::thread worker;', 'std::mutex m;', 'std::shared_mutex m;',
        'std::lock_guard g(m);', 'std::random_device d;', 'int x = rand();', 'std::mt19937 gen;',
        'std::uniform_int_distribution<int> d;', 'std::hash<int> h;', 'std::unordered_map<int, int> m;',
        'std::map<const Node*, int> m;', 'zmq::socket_t s;', 'zmq_send(s, p, n, 0);', '#include <thread>',
    ]
    GOOD = [
        '// std::thread in a comment', 'log("std::mutex and rand()");', 'timers.sleep_queue();', 'brand(1); strand(2);',
        'std::map<NodeName, Node*> by_name;', 'grid.rand();', "auto big = 1'000'000; char c = '\"'; int y = 2;",
        'auto s = R"(std::thread)";', 'std::chrono::steady_clock::time_point now;',
    ]

    def test_bad_lines(self):
        for folder in structure.DETERMINISTIC:
            for line in self.BAD:
                found = findings_of('bans', {folder + 'a.cpp': 'int first;\n' + line + '\n'})
                self.assertTrue(found and f'{folder}a.cpp:2: [bans]' in found[0], line)

    def test_good_lines(self):
        for line in self.GOOD:
            self.assertEqual(findings_of('bans', {'core/protocol/a.cpp': line + '\n'}), [], line)

    def test_other_folders_are_free(self):
        self.assertEqual(findings_of('bans', {'core/runtime/a.cpp': '\n'.join(self.BAD)}), [])

    def test_no_sleep_in_tests(self):
        bad = {'tests/live/a.cpp': 'int a;\nstd::this_thread::sleep_for(1s);\n'}
        self.assertIn('tests/live/a.cpp:2:', findings_of('tests_do_not_sleep', bad)[0])
        good = {'tests/live/a.cpp': 'call("sleep", "{}"); Sleep m{5}; worker.sleep(m); ph::sleep(m);\n'}
        self.assertEqual(findings_of('tests_do_not_sleep', good), [])


class Sizes(unittest.TestCase):
    def test_file(self):
        line = 'int x;\n'
        self.assertEqual(findings_of('sizes', {'core/a.cpp': line * 500}), [])
        self.assertIn('core/a.cpp:501: [sizes]', findings_of('sizes', {'core/a.cpp': line * 501})[0])

    def test_function(self):
        self.assertEqual(findings_of('sizes', {'core/a.cpp': body(60)}), [])
        self.assertIn('core/a.cpp:2: [sizes] work has 61 lines', findings_of('sizes', {'core/a.cpp': '\n' + body(61)})[0])

    def test_every_kind_of_function_is_seen(self):
        for head, tail in [
            ('TEST_CASE("three nodes; one { dies") {', '}'),
            ('TEST_SUITE("s") { TEST_CASE_FIXTURE(F, "x" * doctest::timeout(2)) {', '} }'),
            ('namespace a::b { class C final : public D { public: int f() const noexcept override {', '} }; }'),
            ('struct S { S(int a, Opts o = {}) : a_(a), b_{1, {2}}, c_{} {', '} };'),
            ('template <class T, class U = std::vector<T>> auto f(T t) -> std::map<T, U> {', '}'),
            ('template <class T> requires(sizeof(T) <= 8) T f(T t) {', '}'),
            ('bool operator==(const A& a, const B& b) {', '}'),
            ('const auto table = make({ {"a", [](int x) {', '} } });'),
            ('auto f = [&](int x = 3) mutable {', '};'),
            ('Row rows[] = { { 1, [] {', '} } };'),
            ('extern "C" PROCESSHUB_API void plug() {', '}'),
            ('[[nodiscard]] static Result<void> S::g(int x) && {', '}'),
            ('void f() { auto l = [] {', '}; }'),
        ]:
            found = findings_of('sizes', {'core/a.cpp': body(70, head, tail)})
            self.assertEqual(len(found), 1, f'{head}: {found}')

    def test_what_is_no_function_may_be_long(self):
        for head, tail in [
            ('namespace a {', '}'), ('struct S {', '};'), ('enum class E : int {', '};'), ('extern "C" {', '}'),
            ('const Row rows[] = {', '};'), ('inline constexpr auto rows = std::to_array<Row>({', '});'),
            ('template <class T> class alignas(64) C : public B<T> {', '};'), ('std::function<void(int)> f{', '};'),
            ('TEST_SUITE("all") {', '}'), ('LIBRARY_VERSION_NAMESPACE(v1) {', '}'),
        ]:
            text = '\n'.join([head] + ['  one,'] * 70 + [tail, 'void f() {}', ''])
            self.assertEqual(findings_of('sizes', {'core/a.cpp': text}), [], head)

    def test_extent_and_names(self):
        text = 'struct S {\n  int f(int a,\n        int b) {\n    return a + b;\n  }\n};\n\n#define M() {\nvoid g() {\n}\n'
        found = [(f.name, f.first_line, f.last_line) for f in cpp_text.functions(text)]
        self.assertEqual(found, [('f', 2, 5), ('g', 9, 10)])


class TestNamespaces(unittest.TestCase):
    def test_a_test_file_is_a_namespace_of_its_name(self):
        good = 'namespace a_test {\n}\n'
        inner = 'namespace processhub::b_test {\n}\n'
        bad = 'namespace {\n}\n'
        files = {'tests/unit/a_test.cpp': good, 'tests/sim/deep/b_test.cpp': inner,
                 'tests/live/c_test.cpp': bad, 'tests/live/support/helper.cpp': bad}
        findings = findings_of('tests_are_namespaces', files)
        self.assertEqual(len(findings), 1)
        self.assertIn('tests/live/c_test.cpp:1: [tests_are_namespaces]', findings[0])
        self.assertIn('namespace c_test', findings[0])


class Notes(unittest.TestCase):
    def test_notes(self):
        bad = {'core/a.cpp': '// ' + 'TO' + 'DO later\n', 'cmake/a.cmake': '\n# FIX' + 'ME\n'}
        self.assertEqual([line.split(' ')[0] for line in findings_of('notes', bad)],
                         ['core/a.cpp:1:', 'cmake/a.cmake:2:'])
        self.assertEqual(findings_of('notes', {'core/a.cpp': 'int todo_list; mktemp("XXXXXX");\n'}), [])


if __name__ == '__main__':
    unittest.main()
