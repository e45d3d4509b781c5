"""A view of C++ text for checks: comments and literals blanked, and the extent of each function.

This is a heuristic and no parser. It knows enough of the language to place every brace of formatted code:
namespaces, types, functions, constructors with initialiser lists, lambdas, initialisers.
"""

import re
from dataclasses import dataclass

_LITERAL = re.compile(
    r'//(?:\\\n|[^\n])*'  # line comment
    r'|/\*.*?\*/'  # block comment
    r'|(?:u8|u|U|L)?R"(?P<delim>[^()\\\s]{0,16})\(.*?\)(?P=delim)"'  # raw string
    r'|"(?:\\.|[^"\\\n])*"'  # string
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",  # character, but no digit separator
    re.DOTALL,
)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>\n]*>|"[^"\n]*")', re.MULTILINE)
_DIRECTIVE = re.compile(r'^[ \t]*#(?:\\\n|[^\n])*', re.MULTILINE)


def _blank(match):
    """The same number of lines; literals leave an empty pair of quotes, comments leave nothing."""
    text = match.group(0)
    keep = '' if text.startswith(('//', '/*')) else '""'
    return keep + '\n' * text.count('\n')


def code_only(text):
    """The text without comments and without the contents of literals; line numbers stay the same."""
    return _LITERAL.sub(_blank, text)


def includes(text):
    """(line, target, quoted) of every include directive that is not inside a comment."""
    def keep_strings(match):
        return match.group(0) if match.group(0).startswith('"') else _blank(match)

    plain = _LITERAL.sub(keep_strings, text)
    for match in _INCLUDE.finditer(plain):
        target = match.group(1)
        yield plain.count('\n', 0, match.start()) + 1, target[1:-1], target.startswith('"')


@dataclass
class Function:
    name: str
    first_line: int
    last_line: int

    @property
    def lines(self):
        return self.last_line - self.first_line + 1


_TYPE = re.compile(r'^(?:(?:typedef|static|inline|constexpr|export|friend|const)\s+)*(?:class|struct|union|enum)\b')
_NAMESPACE = re.compile(r'^(?:inline\s+)?namespace\b|^extern\s*""\s*$|^(?:TEST_SUITE|[A-Z_]*NAMESPACE)\s*\(')
_ACCESS = re.compile(r'^(?:public|private|protected)\s*:(?!:)\s*')
_TAIL = re.compile(
    r'\s*(?:\b(?:const|volatile|override|final|mutable|try|constexpr)\b|\bnoexcept(?:\s*\([^()]*\))?|&&?|\[\[[^\]]*\]\])\s*$'
)


def _without_template(header):
    """The header without its leading template<...> lists (which may say class) and attributes."""
    while True:
        header = re.sub(r'^\[\[[^\]]*\]\]\s*', '', header.lstrip())
        match = re.match(r'template\s*<', header)
        if not match:
            return header
        depth, at = 1, match.end()
        while at < len(header) and depth:
            if header[at] == '<':
                depth += 1
            elif header[at] == '>' and header[at - 1] != '-':
                depth -= 1
            at += 1
        header = header[at:]


def _classify(header, in_parens):
    """What the brace after this header opens: namespace, type, function or value."""
    header = _without_template(header)
    if _NAMESPACE.match(header):
        return 'namespace'
    if not in_parens and _TYPE.match(header) and not header.endswith('='):
        return 'type'
    tail = None
    while tail != header:
        tail, header = header, _TAIL.sub('', header)
    if re.search(r'(?:^|[=(,{]|\breturn)\s*\[[^\]]*\]$', header):
        return 'function'  # a lambda without parameters
    if re.search(r'\)\s*(?:const\s*|noexcept\s*|mutable\s*)*->\s*[^;{}]+$', header):
        return 'function'  # trailing return type
    if in_parens:
        return 'function' if re.search(r'\[[^\[\]]*\]\s*(?:<[^<>]*>\s*)?\([^{}]*\)$', header) else 'value'
    if re.search(r'\)\s*(?:noexcept\s*)?:(?!:)', header):
        # A constructor's initialiser list: "member_" opens a value, ")" or "{}" ends the list.
        return 'function' if header.endswith((')', '}')) else 'value'
    if header.endswith(')'):
        if re.search(r'(?<![=!<>])=(?!=)', header) and 'operator' not in header and '](' not in header.replace(' ', ''):
            return 'value' if not re.search(r'\([^()]*=[^()]*\)', header) else 'function'
        return 'function'
    return 'value'


def _name(header):
    header = _ACCESS.sub('', ' '.join(_without_template(header).split()))
    match = re.search(r'(\bTEST_CASE\w*|[\w:~]*operator\s*[^\s(]*|[\w:~]+)\s*\(', header)
    return match.group(1) if match else (header[:40] or 'lambda')


class _Scanner:
    def __init__(self, text):
        self.found = []
        self.stack = []  # (kind, header before the brace, its first line, open parentheses outside)
        self.header, self.header_line, self.parens = '', 0, 0
        self.outer = None  # (depth of the stack, name, first line) of the function we are in
        self.text = text

    def run(self):
        line = 1
        for char in self.text:
            if char == '\n':
                line += 1
            self.feed(char, line)
        return self.found

    def reset(self):
        self.header, self.header_line = '', 0

    def feed(self, char, line):
        if char == '{':
            self.open(line)
        elif char == '}':
            self.close(line)
        elif self.outer:
            return
        elif char == ';' and self.parens == 0:
            self.reset()
        else:
            self.parens += (char == '(') - (char == ')')
            if not self.header and char.isspace():
                return
            self.header_line = self.header_line or line
            self.header += char
            if char == ':' and _ACCESS.match(self.header + ' '):
                self.reset()

    def open(self, line):
        if self.outer:
            self.stack.append(('inner', '', 0, 0))
            return
        header = ' '.join(self.header.split())
        kind = _classify(header, self.parens > 0)
        self.stack.append((kind, self.header, self.header_line or line, self.parens))
        if kind == 'function':
            self.outer = (len(self.stack), _name(header), self.header_line or line)
        if kind != 'value':
            self.parens = 0
            self.reset()
        else:
            self.header, self.parens = '', 0

    def close(self, line):
        if not self.stack:
            return
        kind, header, header_line, parens = self.stack.pop()
        if self.outer:
            if self.outer[0] != len(self.stack) + 1:
                return
            self.found.append(Function(self.outer[1], self.outer[2], line))
            self.outer = None
        self.parens = parens
        if kind == 'value' or parens > 0:
            self.header, self.header_line = header + '{}', header_line
        else:
            self.reset()


def functions(text):
    """Every outermost function of the text: a lambda inside a function belongs to that function."""
    plain = _DIRECTIVE.sub(lambda match: '\n' * match.group(0).count('\n'), code_only(text))
    return _Scanner(plain).run()
