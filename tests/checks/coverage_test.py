#!/usr/bin/env python3
"""Shows that coverage.py finds what is wrong, and is silent when nothing is."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import coverage  # noqa: E402

GOOD = '''text
| strategy | unit | simulation | real processes |
|---|---|---|---|
| `ring` | `tests/unit/a_test.cpp` "ring: it" | `tests/cases/x.txt` | `tests/unit/a_test.cpp` "in two parts" |

| hook | simulation | real processes |
|---|---|---|
| `left` | `tests/cases/x.txt` | `tests/unit/a_test.cpp` "ring: it is" |
'''


class Coverage(unittest.TestCase):
    def found(self, text, strategies='catalog.add_distribution("ring", make);'):
        with tempfile.TemporaryDirectory() as root:
            for name, content in {
                'docs/testing.md': text,
                'strategies/builtin.cpp': strategies,
                'core/include/processhub/hooks.hpp': 'static constexpr std::string_view name = "left";',
                'tests/unit/a_test.cpp': 'TEST_CASE("ring: it is round") { "left"; }\nTEST_CASE(\n    "in two "\n    "parts") {}\n',
                'tests/cases/x.txt': 'a: left b/1',
                'tests/cases/z.txt': 'a: something else',
            }.items():
                path = Path(root) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding='utf-8')
            return coverage.mistakes(root)

    def test_good(self):
        self.assertEqual(self.found(GOOD), [])

    def test_each_mistake(self):
        for old, new, said in [
            ('"ring: it"', '"ring: that"', 'has no test "ring: that"'),
            ('`tests/unit/a_test.cpp` "ring: it" |', '`tests/unit/a_test.cpp` |', 'without a title'),
            ('| `tests/cases/x.txt` | `tests/unit/a_test.cpp` "in', '| | `tests/unit/a_test.cpp` "in', 'column 2: names no test'),
            ('tests/cases/x.txt', 'tests/cases/y.txt', 'there is no tests/cases/y.txt'),
            ('`left` | `tests/cases/x.txt`', '`left` | `tests/cases/z.txt`', 'no file of it tells of left'),
            ('| `left`', '| `right`', 'hook left: has no row'),
            ('| `left`', '| `right`', 'hook right: there is none'),
            (' | `tests/unit/a_test.cpp` "in two parts" |', ' |', '2 cells, not 3'),
        ]:
            self.assertIn(old, GOOD)
            self.assertTrue(any(said in line for line in self.found(GOOD.replace(old, new))), said)

    def test_a_new_strategy_needs_a_row(self):
        two = 'catalog.add_distribution("ring", make);\ncatalog.add_distribution("tree", make);'
        self.assertEqual(self.found(GOOD, two), ['strategy tree: has no row'])


if __name__ == '__main__':
    unittest.main()
