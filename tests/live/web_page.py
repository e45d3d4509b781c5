"""web_page.py URL: looks at zmq-monitor's page of a cluster with the nodes a, b, c and the children x-0 ... x-11.

Prints "looks" once all of it is there; then node b dies, and the page shows it. "skipped: …" without a browser.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tools/python'))
import browser  # noqa: E402


def fits(page):
    """Nothing is wider than the window."""
    return page.value('document.documentElement.scrollWidth <= innerWidth')


def main():
    if browser.program() is None:
        print('skipped: there is no chromium; tools/dev browser installs it')
        return
    with browser.Browser() as page:
        page.open(sys.argv[1])
        page.wait('document.querySelectorAll("#map .node").length === 3')
        page.wait('[...document.querySelectorAll("#map .count")].reduce((a, t) => a + Number(t.textContent), 0) === 12')
        page.wait('document.querySelectorAll("#map .link.ok").length === 6')
        page.wait('document.querySelectorAll("#rows tr").length === 3')
        page.wait('document.querySelectorAll("#found button").length === 12')
        page.wait('document.querySelectorAll("#stream li time").length > 3')
        page.wait('document.querySelector(".plot .now").textContent.match(/^[0-9.]+/)')
        page.value('$("search").value = "x-1"; $("search").dispatchEvent(new Event("input"))')
        page.wait('document.querySelectorAll("#found button").length === 3')
        page.value("document.querySelector(\"#found button\").click()")
        page.wait('$("explain").open && document.querySelector(".facts")?.innerText.includes("running")')
        page.value('$("close").click(); $("search").value = ""; search()')
        assert fits(page), 'too wide for a desktop'
        for width in (390, 768):
            page.resize(width, 800, mobile=True)
            assert fits(page), f'too wide for {width} pixels'
        page.resize(1440, 900)
        for theme in ('dark', 'light'):
            page.wait(f'$("theme").click() || document.documentElement.dataset.theme === "{theme}"')
        print('looks', flush=True)
        page.wait('[...document.querySelectorAll("#map .node.gone .name")].map((t) => t.textContent).join() === "b"')
        page.wait('$("health").classList.contains("critical")')
        page.wait('$("moves").innerText.includes("b →")')
        page.wait('[...document.querySelectorAll("#map .count")].reduce((a, t) => a + Number(t.textContent), 0) === 12')
        assert not page.problems, page.problems
    print('done')


main()
