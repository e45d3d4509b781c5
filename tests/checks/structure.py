#!/usr/bin/env python3
"""The dependency rule, the ban list and the size limits of this repository.

    structure.py [--rule NAME] ROOT

Prints "file:line: [rule] what is wrong" for each finding and exits 1 if there is any. The rules are the tables below;
no rule has a list of exceptions.
"""

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cpp_text  # noqa: E402

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60

CPP = {'.cpp', '.hpp', '.h', '.cc', '.inl'}
TEST_PROGRAMS = ['unit', 'sim', 'live', 'fuzz', 'mutation']
SOURCE_FOLDERS = ['core', 'strategies', 'transport', 'examples', 'tools', 'tests']
INTERFACE = 'core/include/processhub/'
CORE_ROOT = 'core/*'  # files directly in core/, such as the logging header

# Which folder may include what of this repository. <processhub/x.hpp> counts as core/include/processhub/x.hpp.
# The first matching folder decides, so inner folders come first.
LAYERS = [
    ('core/include/', [INTERFACE]),
    ('core/protocol/', [INTERFACE, CORE_ROOT, 'core/protocol/']),
    ('core/runtime/', [INTERFACE, CORE_ROOT, 'core/protocol/', 'core/runtime/']),
    ('core/config/', [INTERFACE, CORE_ROOT, 'core/config/']),
    ('core/', [INTERFACE, CORE_ROOT]),
    ('strategies/', [INTERFACE, 'strategies/']),
    ('transport/zmq/', ['core/', 'transport/zmq/']),
    ('transport/sim/', ['core/', 'strategies/', 'transport/sim/']),
    ('transport/assembly/', ['core/', 'strategies/', 'transport/zmq/', 'transport/assembly/']),
    ('examples/', [INTERFACE, '<own folder>']),
    ('tools/', ['core/', 'strategies/', 'transport/', 'tools/']),
    ('tests/', ['core/', 'strategies/', 'transport/', 'tools/', 'tests/']),
]

# Headers from outside and the places that may include them. Tests may include any.
THIRD_PARTY = [
    (r'boost/', ['core/config/', 'tools/'], 'Boost only in core/config and tools'),
    (r'zmq(_addon)?\.hp?p?$', ['transport/zmq/', 'tools/hub-bench/'], 'ZeroMQ only in transport/zmq and tools/hub-bench'),
    (r'prometheus/', ['tools/hubd/'], 'prometheus-cpp only in tools/hubd'),
    (r'httplib\.h$', ['tools/zmq-monitor/'], 'cpp-httplib only in tools/zmq-monitor'),
    (r'msgpack', [INTERFACE + 'message.hpp', 'core/protocol/codec'],
     'msgpack only in <processhub/message.hpp> and core/protocol/codec*'),
    (r'(xxhash|spdlog/|absl/|fmt/|nlohmann/)', ['core/protocol/', 'core/runtime/', 'core/config/', CORE_ROOT,
                                               'strategies/', 'transport/', 'tools/'],
     'public headers and examples need no such library'),
]
# Libraries that few files know, so that they can be replaced.
FEW_FILES = [('xxhash', 3), ('spdlog/', 3), ('absl/', 3)]

# Calls that would make the deterministic core depend on more than its events and its own random generator.
DETERMINISTIC = ['core/protocol/', 'strategies/']
BANS = [
    (r'\b\w*_clock\s*::\s*now\b', 'reads a clock; time comes in with the event'),
    (r'\b(clock_gettime|gettimeofday|timespec_get)\s*\(|\bstd::time\s*\(', 'reads a clock; time comes in with the event'),
    (r'\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>])sleep\s*\(', 'sleeps; arm a timer'),
    (r'\bstd::(thread|jthread|async|this_thread)\b|#include <thread>', 'uses threads; the core has none'),
    (r'\bstd::(recursive_|shared_|timed_)*mutex\b|\bstd::(condition_variable|lock_guard|unique_lock|scoped_lock)\b',
     'locks; the core is single-threaded'),
    (r'\brandom_device\b|(?<![\w.>])s?rand\s*\(|\bstd::(mt19937|minstd_rand|default_random_engine)',
     'is random from outside; use the generator of the core'),
    (r'\bstd::\w+_distribution\b|\bstd::(shuffle|sample)\b', 'differs between standard libraries'),
    (r'\bstd::hash\b', 'differs between standard libraries and runs'),
    (r'\bstd::unordered_\w+', 'has no defined order; use an ordered or an insertion-ordered container'),
    (r'\bstd::(map|set)\s*<[^<>,]*\*\s*[,>]', 'orders by pointer; the order differs from run to run'),
    (r'\bzmq\b|\bzmq_\w+', 'knows ZeroMQ; the core only knows its transport port'),
]

NOTES = re.compile(r'\b(' + '|'.join(['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK']) + r')\b')
NOTES_SUFFIXES = CPP | {'.py', '.sh', '.cmake', '.in', '.ini', ''}


class Checker:
    def __init__(self, root):
        self.root = Path(root)
        self.findings = []

    def report(self, path, line, rule, text):
        self.findings.append(f'{path}:{line}: [{rule}] {text}')

    def files(self, suffixes, folders=None):
        for folder in folders or SOURCE_FOLDERS:
            for path in sorted((self.root / folder).rglob('*')):
                if path.suffix in suffixes and path.is_file():
                    name = path.relative_to(self.root).as_posix()
                    yield name, path.read_text(encoding='utf-8', errors='replace')

    def resolve(self, name, target, quoted):
        """The repository path an include means, or None for a header from outside."""
        if target.startswith('processhub/'):
            return 'core/include/' + target
        if not quoted:
            return target if (self.root / target).is_file() else None
        beside = Path(name).parent / target
        if name.startswith('examples/') and (self.root / beside).is_file():
            return beside.as_posix()
        return target

    def includes(self):
        for name, text in self.files(CPP):
            layer, allowed = next((entry for entry in LAYERS if name.startswith(entry[0])), ('', None))
            if allowed is None:
                continue
            own = '/'.join(name.split('/')[:2]) + '/'
            for line, target, quoted in cpp_text.includes(text):
                path = self.resolve(name, target, quoted)
                if path is None:
                    continue
                if not quoted and not target.startswith('processhub/'):
                    self.report(name, line, 'includes', f'write this include as "{target}"')
                elif not (self.root / path).is_file():
                    self.report(name, line, 'includes', f'"{target}" is no path from the root of the repository')
                elif not any(_within(path, own if to == '<own folder>' else to) for to in allowed):
                    self.report(name, line, 'includes', f'{layer} must not include {path}; it may include '
                                + ', '.join(allowed))

    def third_party(self):
        users = {what: [] for what, _ in FEW_FILES}
        for name, text in self.files(CPP):
            if name.startswith('tests/'):
                continue
            for line, target, quoted in cpp_text.includes(text):
                if quoted or target.startswith('processhub/'):
                    continue
                broken = [why for pattern, places, why in THIRD_PARTY
                          if re.match(pattern, target) and not any(_within(name, place) for place in places)]
                if broken:
                    self.report(name, line, 'third_party', f'<{target}>: {broken[0]}')
                for what, _ in FEW_FILES:
                    if target.startswith(what) and name not in [user for user, _ in users[what]]:
                        users[what].append((name, line))
        for what, limit in FEW_FILES:
            for name, line in users[what][limit:]:
                self.report(name, line, 'third_party', f'<{what}…> is included by more than {limit} files: '
                            + ', '.join(user for user, _ in users[what]))

    def match_lines(self, rule, folders, bans):
        for name, text in self.files(CPP, folders):
            for number, line in enumerate(cpp_text.code_only(text).split('\n'), 1):
                for pattern, why in bans:
                    found = re.search(pattern, line)
                    if found:
                        self.report(name, number, rule, f"'{found.group(0).strip()}' {why}")

    def bans(self):
        self.match_lines('bans', DETERMINISTIC, BANS)

    def tests_do_not_sleep(self):
        pattern = r'\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>:])sleep\s*\('
        self.match_lines('tests_do_not_sleep', ['tests'],
                         [(pattern, 'is a guess about time: wait for the condition, or use virtual time')])

    def tests_are_namespaces(self):
        """Several test files are compiled as one unit, in which their helpers may repeat names only so."""
        for name, text in self.files({'.cpp'}, [f'tests/{kind}' for kind in TEST_PROGRAMS]):
            stem = Path(name).stem
            if stem.endswith('_test') and not re.search(rf'^namespace (\w+::)*{stem} {{$', text, re.MULTILINE):
                self.report(name, 1, 'tests_are_namespaces',
                            f'put all below the includes into namespace {stem} (or ...::{stem})')

    def sizes(self):
        for name, text in self.files(CPP | {'.py', '.sh'}):
            count = text.count('\n') + (not text.endswith('\n') and bool(text))
            if count > MAX_FILE_LINES:
                self.report(name, count, 'sizes', f'the file has {count} lines; the limit is {MAX_FILE_LINES}')
            if Path(name).suffix not in CPP:
                continue
            for function in cpp_text.functions(text):
                if function.lines > MAX_FUNCTION_LINES:
                    self.report(name, function.first_line, 'sizes', f'{function.name} has {function.lines} lines; '
                                f'the limit is {MAX_FUNCTION_LINES}')

    def notes(self):
        for name, text in self.files(NOTES_SUFFIXES, SOURCE_FOLDERS + ['cmake', '.ci']):
            for number, line in enumerate(text.split('\n'), 1):
                found = NOTES.search(line)
                if found:
                    self.report(name, number, 'notes', f'{found.group(0)}: do it now, or write an issue')


def _within(path, place):
    if place == CORE_ROOT:
        return path.startswith('core/') and path.count('/') == 1
    return path.startswith(place)


RULES = ['includes', 'third_party', 'bans', 'tests_do_not_sleep', 'tests_are_namespaces', 'sizes', 'notes']


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rule', choices=RULES, action='append', help='only this rule (repeatable)')
    parser.add_argument('root', help='the root of the repository')
    options = parser.parse_args()
    checker = Checker(options.root)
    for rule in options.rule or RULES:
        getattr(checker, rule)()
    print('\n'.join(checker.findings) or 'nothing found')
    return 1 if checker.findings else 0


if __name__ == '__main__':
    sys.exit(main())
