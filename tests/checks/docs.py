"""docs.py ROOT BUILD CXX cpp|kit|ini|sh: the fenced blocks of README.md and docs/guide do what a reader expects.

cpp  all C++ blocks of a page, one after the other, compile as one file (with the includes and the alias `ph` that the
     page takes for granted in front, unless it has a program of its own)
kit  the C++ blocks of a page about the test kit, which are tests, pass
ini  every INI block, and every .ini file of the examples, is read by hubd without a complaint
sh   every block marked ```sh that starts with `cd build/release`, pasted as it stands, with other ports: each command
     of it must succeed
"""
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

PRELUDE = """#include <processhub/plugin.hpp>
#include <processhub/processhub.hpp>
namespace ph = processhub;
using namespace std::chrono_literals;
"""
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORT = re.compile(r"\b127\.0\.0\.1:(7\d{3})\b")


def blocks(page, language):
    """[(line number, text)] of the page's blocks in this language."""
    text = page.read_text(encoding="utf-8")
    return [(text[: m.start()].count("\n") + 1, m[2]) for m in FENCE.finditer(text) if m[1] == language]


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)


def whole_pages(pages, work):
    """(page, a file with all its C++ blocks) for those that have any."""
    for page in pages:
        found = blocks(page, "cpp")
        if not found:
            continue
        parts = [f'#line {line + 1} "{page}"\n{text}' for line, text in found]
        whole = "".join(parts)
        source = work / "page.cpp"
        source.write_text(whole if "#include <processhub/processhub.hpp>" in whole else PRELUDE + whole, encoding="utf-8")
        yield page, source


def compiler(root, cxx):
    return [cxx, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-DMSGPACK_NO_BOOST", f"-I{root}/core/include"]


def compile_pages(root, pages, cxx, work):
    for page, source in whole_pages(pages, work):
        yield page, run([*compiler(root, cxx), "-fsyntax-only", str(source)])


def run_test_pages(root, pages, build, cxx, work):
    for page, source in whole_pages(pages, work):
        if "#include <processhub/testing.hpp>" not in source.read_text(encoding="utf-8"):
            continue
        program = work / "page"
        libraries = [f"-L{build}", f"-Wl,-rpath,{build}", "-lprocesshub_testing", "-lprocesshub"]
        built = run([*compiler(root, cxx), "-DDOCTEST_CONFIG_IMPLEMENT_WITH_MAIN", str(source), "-o", str(program), *libraries])
        yield page, built if built.returncode else run([str(program)], timeout=120)


def load_samples(root, pages, build, work):
    for page in pages:
        for line, text in blocks(page, "ini"):
            sample = work / f"{page.stem}-{line}.ini"
            sample.write_text(text, encoding="utf-8")
            yield f"{page}:{line}", run([build / "hubd", "--print-config", "--config", sample])
    for sample in sorted(root.glob("examples/**/*.ini")):
        yield sample, run([build / "hubd", "--print-config", "--config", sample])


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def with_other_ports(text, ports):
    return PORT.sub(lambda m: f"127.0.0.1:{ports[m[1]]}", text)


def paste_blocks(root, pages, build, work):
    for page in pages:
        for line, text in blocks(page, "sh"):
            if not text.startswith("cd build/release\n"):
                continue
            # A tree of its own in which the block's relative paths hold, but with other ports.
            tree = work / f"{page.stem}-{line}"
            shutil.copytree(root / "examples", tree / "examples")
            samples = sorted(tree.glob("examples/**/*.ini"))
            named = set(PORT.findall(text)) | {p for s in samples for p in PORT.findall(s.read_text(encoding="utf-8"))}
            ports = dict(zip(sorted(named), free_ports(len(named))))
            for sample in samples:
                sample.write_text(with_other_ports(sample.read_text(encoding="utf-8"), ports), encoding="utf-8")
            script = with_other_ports(text, ports).replace("cd build/release\n", f"cd {build}\n")
            script = script.replace("../../", f"{tree}/")
            body = f"set -e\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n{script}"
            yield f"{page}:{line}", run(["bash", "-c", body], timeout=60)


def main():
    root, build, cxx, what = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3], sys.argv[4]
    pages = [root / "README.md", *sorted((root / "docs").glob("**/*.md"))]
    failed = seen = 0
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        checks = {
            "cpp": lambda: compile_pages(root, pages, cxx, work),
            "kit": lambda: run_test_pages(root, pages, build, cxx, work),
            "ini": lambda: load_samples(root, pages, build, work),
            "sh": lambda: paste_blocks(root, pages, build, work),
        }
        for where, outcome in checks[what]():
            seen += 1
            if outcome.returncode != 0:
                failed += 1
                print(f"{where}: failed with {outcome.returncode}\n{outcome.stdout}")
    print(f"{seen} checked, {failed} failed")
    sys.exit(1 if failed or not seen else 0)


if __name__ == "__main__":
    main()
