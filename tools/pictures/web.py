#!/usr/bin/python3
"""tools/pictures/web.py [BUILD_DIR [OUT_DIR]]: pictures of zmq-monitor's page for docs/operations/, of a live cluster.

Five nodes with 80 children get calls, one is drained, one is killed; all ends with the script. Needs hubd, hubctl,
zmq-monitor and libcounter.so in BUILD_DIR (build/release), chromium (`tools/dev browser`) and pngquant to make the files
small, if it is there.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tools/python'))
import browser  # noqa: E402
import processhub  # noqa: E402

BUILD = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / 'build/release').resolve()
OUT = Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / 'docs/operations/pictures').resolve()
CHILDREN = 80
NAMES = ['north-1', 'north-2', 'west-1', 'west-2', 'east-1']


class Cluster:
    def __init__(self):
        self.processes = {}
        self.endpoints = []
        self.over = threading.Event()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        for process in self.processes.values():
            process.kill()
            process.wait()

    def start(self, name, *command):
        process = subprocess.Popen([BUILD / command[0], *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   text=True)
        self.processes[name] = process
        return process.stdout.readline().strip()

    def start_node(self, name):
        seeds = [word for endpoint in self.endpoints for word in ('--seed', endpoint)]
        self.endpoints.append(self.start(
            name, 'hubd', '--name', name, '--hub.id', 'orders', '--listen', 'tcp://127.0.0.1:0', '--migration', 'hot_swap',
            '--plugin', str(BUILD / 'libcounter.so'), *seeds))

    def hubctl(self, *arguments):
        subprocess.run([BUILD / 'hubctl', '--connect', self.endpoints[0], *arguments], check=True, stdout=subprocess.DEVNULL)

    def load(self, number):
        with processhub.Client([self.endpoints[number % 3]]) as client:
            at = number
            while not self.over.wait(0.004 + 0.002 * number):
                at = (at * 7 + 3) % CHILDREN
                try:
                    client.call(f'order-{at}', 'add', {'by': 1})
                except processhub.Error:
                    pass  # it was on the node that is killed


def small(path):
    if shutil.which('pngquant'):
        subprocess.run(['pngquant', '--force', '--speed', '1', '--output', path, '64', path], check=True)


def take(page, name):
    path = OUT / f'{name}.png'
    page.picture(path)
    small(path)
    print(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path, path.stat().st_size, 'bytes')


def settled(page, samples):
    page.wait(f'[...plots[0].series.values()].some((line) => line.length > {samples})', 60)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    with Cluster() as cluster:
        for name in NAMES:
            cluster.start_node(name)
        specs = [json.dumps({'id': f'order-{i}', 'type': 'counter'}) for i in range(CHILDREN)]
        (OUT / 'specs.jsonl').write_text('\n'.join(specs))
        cluster.hubctl('start', '--file', str(OUT / 'specs.jsonl'))
        os.remove(OUT / 'specs.jsonl')
        for number in range(5):
            threading.Thread(target=cluster.load, args=(number,), daemon=True).start()
        url = cluster.start('web', 'zmq-monitor', cluster.endpoints[0], 'web', '--listen', '127.0.0.1:0').split()[-1]
        with browser.Browser(1280, 1130) as page:
            page.open(url)
            settled(page, 25)
            take(page, 'web-light')
            cluster.hubctl('drain', 'west-1', '--yes')
            page.wait('document.querySelectorAll(".mover").length > 0')
            take(page, 'web-moves')
        with browser.Browser(1280, 900, dark=True) as page:
            page.open(url)
            settled(page, 12)
            cluster.processes['east-1'].kill()
            page.wait('state.look.findings.some((one) => one.check === "node_down") && $("moves").innerText.includes("east-1 →")')
            page.value('explain([...state.events].reverse().find((e) => moveOf(e) && e.text.includes("taken over")).children[0])')
            page.wait('document.querySelector("#explain .facts") && document.querySelector("#explain .stream time")')
            take(page, 'web-explain')
        with browser.Browser(390, 844, dark=True, mobile=True) as page:
            page.open(url)
            settled(page, 8)
            page.value('document.querySelector(".map").scrollIntoView({behavior: "instant"}); scrollBy(0, -110)')
            take(page, 'web-phone')


main()
