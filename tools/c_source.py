"""Reads C just well enough for the checks in this folder; standard library only.

The idea: blank out what cannot matter (comments, strings, preprocessor lines) without moving a
single character, so that every offset found in the blanked text is an offset in the file.
"""
import os
import re
import sys

SKIPPED_FOLDERS = {".git", "build", "experiments", "logs", "__pycache__"}
SHOWN_OF_A_KIND = 3  # of one file, so that a long list of one thing does not hide the others

TOKEN = re.compile(
    r"""/\*.*?(?:\*/|\Z)|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.M | re.S)
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else", "_Alignof",
            "__attribute__", "_Static_assert", "static_assert", "alignas", "_Alignas", "defined"}


def blank(text):
    """The same text with every character replaced by a space, newlines kept."""
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """Comments and the inside of string and character literals become spaces."""
    def cut(match):
        token = match.group()
        if token[0] == "/":
            return blank(token)
        return token[0] + blank(token[1:-1]) + token[-1]
    return TOKEN.sub(cut, text)


def comments(text):
    """(start, end, text) of every comment."""
    return [(m.start(), m.end(), m.group()) for m in TOKEN.finditer(text) if m.group()[0] == "/"]


def code_only(text):
    """Comments, literals and preprocessor lines become spaces."""
    return DIRECTIVE.sub(lambda m: blank(m.group()), without_comments(text))


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def outer_declarations(code):
    """Yields (start, end, body_end) of each declaration at file level of blanked code.

    `end` is the offset of its `;` or of the `{` of its body; body_end is None without a body.
    A linkage block (extern "C" { ... }) counts as file level.
    """
    depth, start, body = 0, 0, None
    linkage = []
    for match in re.finditer(r"[{};]", code):
        sign, at = match.group(), match.start()
        if sign == "{":
            if depth == 0 and re.fullmatch(r'\s*extern\s+"[^"]*"\s*', code[start:at]):
                linkage.append(at)
                start = at + 1
                continue
            if depth == 0:
                body = at
            depth += 1
        elif sign == "}":
            if depth == 0:
                if linkage:
                    linkage.pop()
                start = at + 1
                continue
            depth -= 1
            if depth == 0 and is_function_head(code[start:body]):
                yield start, body, at
                start, body = at + 1, None
        elif depth == 0:
            yield start, at, None
            start, body = at + 1, None


def is_function_head(head):
    """Whether the text before a `{` is that of a function (not of a struct or an initialiser)."""
    return function_name(head) is not None and "=" not in strip_parens(head)


def strip_parens(text):
    """The text with everything inside parentheses removed."""
    out, depth = [], 0
    for char in text:
        if char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        elif depth == 0:
            out.append(char)
    return "".join(out)


def function_name(head):
    """(name, offset, offset of `(`) of the function that a declaration head declares, or None."""
    depth = 0
    for match in re.finditer(r"[()]|([A-Za-z_]\w*)\s*(?=\()", head):
        if match.group() == "(":
            depth += 1
        elif match.group() == ")":
            depth -= 1
        elif depth == 0 and match.group(1) not in KEYWORDS:
            name = match.group(1)
            if name.isupper() and re.match(r"\s*\(", head[match.end():]):
                after = matching_paren(head, head.index("(", match.end()))
                # an attribute macro such as M31R_PRINTF(1, 2) stands before or after the real name
                if re.match(r"\s*[A-Za-z_]", head[after + 1:]) and \
                        re.search(r"[A-Za-z_]\w*\s*\(", head[after + 1:]):
                    continue
            return name, match.start(), head.index("(", match.end())
    return None


def matching_paren(text, at):
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return i
    return len(text) - 1


def parameters(head, open_at):
    """The parameters between the parenthesis at open_at and its partner, as a list of texts."""
    inside = head[open_at + 1:matching_paren(head, open_at)]
    parts, depth, part = [], 0, ""
    for char in inside:
        if char == "," and depth == 0:
            parts.append(part)
            part = ""
            continue
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(char, 0)
        part += char
    parts.append(part)
    parts = [" ".join(p.split()) for p in parts]
    return [] if parts in ([""], ["void"]) else parts


def public_functions(text):
    """Yields (name, start, end, returned type, parameters) of a public header's functions.

    `end` is the offset of its `;`, or of the closing brace of an inline one.

    Names of the form m31r_x are public; m31ri_x, and names with `__` or a trailing `_`, belong to
    the macros of the header and are not.
    """
    code = code_only(text)
    for start, end, body_end in outer_declarations(code):
        head = code[start:end]
        if re.match(r"\s*typedef\b", head) or "{" in head or "=" in strip_parens(head):
            continue
        found = function_name(head)
        if not found:
            continue
        name, at, open_at = found
        if not name.startswith("m31r_") or "__" in name or name.endswith("_"):
            continue
        returned = re.sub(r"\b(M31R_\w+|extern|static|inline|__attribute__)\b", " ",
                          strip_attributes(head[:at]))
        first = start + len(head) - len(head.lstrip())
        last = end if body_end is None else body_end
        yield name, first, last, " ".join(returned.split()), parameters(head, open_at)


def strip_attributes(text):
    while True:
        match = re.search(r"\b(?:__attribute__|M31R_[A-Z_]+)\s*\(", text)
        if not match:
            return text
        end = matching_paren(text, match.end() - 1)
        text = text[:match.start()] + " " + text[end + 1:]


def files(root, folders, endings):
    """Paths relative to root, sorted; folders that do not exist are passed over."""
    found = []
    for folder in folders:
        for where, names, entries in os.walk(os.path.join(root, folder)):
            names[:] = sorted(n for n in names if n not in SKIPPED_FOLDERS)
            for entry in entries:
                if entry.endswith(endings):
                    found.append(os.path.relpath(os.path.join(where, entry), root))
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as stream:
        return stream.read()


def root_from(argv):
    """The tree to check: the first argument, or the one this script stands in."""
    rest = [a for a in argv[1:] if not a.startswith("-")]
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return rest[0] if rest else here


def finish(problems, what):
    """Prints the problems as file:line: text and exits 1, or says what held and exits 0."""
    counts = {}
    for path, line, text in sorted(set(problems)):
        kind = path, re.sub(r"\d+", "", text)
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= SHOWN_OF_A_KIND:
            print(f"{path}:{line}: {text}")
        elif counts[kind] == SHOWN_OF_A_KIND + 1:
            print(f"{path}:{line}: the same on this line and perhaps on more below")
    if problems:
        sys.exit(1)
    print(f"{os.path.basename(sys.argv[0])}: {what}")
