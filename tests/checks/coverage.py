#!/usr/bin/env python3
"""The tables of docs/testing.md that say what tests each strategy and each hook: every strategy and hook of the source
has its row, no cell is empty, and what a cell names is there.

    coverage.py ROOT

A cell names files as `tests/...`; a file of tests is followed by the beginning of a title: `tests/unit/a_test.cpp` "title".
Prints what is wrong and exits 1 if anything is.
"""

import re
import sys
from pathlib import Path

TABLES = {
    'strategy': (3, 'strategies/builtin.cpp', re.compile(r'catalog\.add_\w+\("(\w+)"')),
    'hook': (2, 'core/include/processhub/hooks.hpp', re.compile(r'string_view name = "(\w+)"')),
}
NAMED = re.compile(r'`(tests/[\w./]+)`(?: "([^"]+)")?')


def tables(text):
    """Of each table its rows, by the heading of the first column."""
    found, current = {}, None
    for line in text.splitlines():
        if not line.startswith('|'):
            current = None
            continue
        cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
        if current is None:
            current = found.setdefault(cells[0], [])
        elif not set(line) <= set('|- '):
            current.append((cells[0].strip('`'), cells[1:]))
    return found


def titles(text):
    """Every title of a test case, with its parts put together."""
    found = re.findall(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', text)
    return [''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', parts)) for parts in found]


def mistakes_of_cell(root, where, cell):
    named = NAMED.findall(cell)
    if not named:
        return [f'{where}: names no test']
    out = []
    for path, title in named:
        file = root / path
        if not file.is_file():
            out.append(f'{where}: there is no {path}')
        elif path.endswith('.cpp'):
            known = titles(file.read_text(encoding='utf-8'))
            if not title:
                out.append(f'{where}: {path} without a title')
            elif not any(t.startswith(title) for t in known):
                out.append(f'{where}: {path} has no test "{title}"')
    return out


def tells_of(root, name, cell):
    files = [root / path for path, _ in NAMED.findall(cell)]
    return any(file.is_file() and re.search(rf'\b{name}\b', file.read_text(encoding='utf-8')) for file in files)


def mistakes(root):
    root = Path(root)
    found = tables((root / 'docs/testing.md').read_text(encoding='utf-8'))
    out = []
    for kind, (columns, source, pattern) in TABLES.items():
        names = set(pattern.findall((root / source).read_text(encoding='utf-8')))
        rows = found.get(kind, [])
        told = [name for name, _ in rows]
        out += [f'{kind} {name}: has no row' for name in sorted(names - set(told))]
        out += [f'{kind} {name}: there is none, or twice' for name in told if name not in names or told.count(name) > 1]
        for name, cells in rows:
            if len(cells) != columns:
                out.append(f'{kind} {name}: {len(cells)} cells, not {columns}')
            for number, cell in enumerate(cells, 1):
                where = f'{kind} {name}, column {number}'
                out += mistakes_of_cell(root, where, cell)
                if kind == 'hook' and not tells_of(root, name, cell):
                    out.append(f'{where}: no file of it tells of {name}')
    return out


if __name__ == '__main__':
    wrong = mistakes(sys.argv[1])
    print('\n'.join(wrong))
    sys.exit(1 if wrong else 0)
