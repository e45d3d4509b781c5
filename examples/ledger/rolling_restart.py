#!/usr/bin/env python3
"""rolling_restart.py [--build DIR] [--nodes N] [--ledgers N] [--writers N] [--window N] [--rounds N] [--kill]

Starts a cluster of real nodes on free ports of this machine and programs that write numbered entries to stateful
children without a pause; restarts one node after the other (--kill: with SIGKILL instead of SIGTERM); prints what the
programs saw. Exit code 0: no call failed, and every entry is in the books once and in order."""
import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time


class Cluster:
    def __init__(self, options, work):
        self.build, self.work, self.kill = options.build, work, options.kill
        self.nodes = {}

    def start(self, name):
        argv = [self.build / 'hubd', '--name', name, '--hub.id', 'books', '--listen', 'tcp://127.0.0.1:0', '--migration',
                'hot_swap', '--plugin', self.build / 'libledger.so']
        for address, _ in self.nodes.values():
            argv += ['--seed', address]
        log = open(self.work / f'{name}.log', 'ab')
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=log, text=True)
        self.nodes[name] = (process.stdout.readline().strip(), process)

    def end(self, name):
        _, process = self.nodes.pop(name)
        process.send_signal(signal.SIGKILL if self.kill else signal.SIGTERM)
        process.wait()

    def ask(self, name, *words):
        argv = [self.build / 'hubctl', '--connect', self.nodes[name][0], '--json', *words]
        answer = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        return json.loads(answer.stdout) if answer.returncode == 0 else None

    def settled(self, ledgers):
        """All nodes agree, and every child runs exactly once on a node that is there."""
        seen = {name: self.ask(name, 'status') for name in self.nodes}
        if None in seen.values() or len({status['digest'] for status in seen.values()}) != 1:
            return False
        children = self.ask(next(iter(self.nodes)), 'list')
        return children is not None and len(children) == ledgers and all(
            [i['state'] for i in child['instances']] == ['running'] for child in children)

    def wait_settled(self, ledgers, limit=60):
        until = time.monotonic() + limit
        while not self.settled(ledgers):
            if time.monotonic() > until:
                sys.exit(f'the cluster does not come to rest; logs: {self.work}')
            time.sleep(0.05)

    def stop(self):
        for _, process in self.nodes.values():
            process.kill()


class Writers:
    def __init__(self, options, addresses):
        argv = [options.build / 'example_ledger', 'NAME', str(options.ledgers), str(options.window), *addresses]
        self.all = []
        for i in range(options.writers):
            argv[1] = f'w{i}'
            self.all.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
        for writer in self.all:
            if writer.stdout.readline().strip() != 'writing':
                sys.exit('a writer does not begin')

    def signal(self, what):
        for writer in self.all:
            writer.send_signal(what)

    def read(self):
        return [json.loads(writer.stdout.readline()) for writer in self.all]

    def phase(self):
        self.signal(signal.SIGUSR1)
        return self.read()


def show(what, reports):
    total = {key: sum(report[key] for report in reports) for key in ('calls', 'casts', 'failed', 'late', 'wrong_answers')}
    errors = {}
    for report in reports:
        for code, count in report['errors'].items():
            errors[code] = errors.get(code, 0) + count
    worst = max(report['worst_ms'] for report in reports)
    seconds = max(report['seconds'] for report in reports)
    print(f"{what:12} {seconds:6.2f} s {total['calls']:8} calls {total['casts']:8} casts, failed {total['failed']}"
          f" {errors or ''} late {total['late']}, median {reports[0]['median_ms']:.2f} ms, worst {worst:.0f} ms", flush=True)
    for report in reports:
        if 'last_error' in report:
            print(f"             {report['name']} until {report['errors_until_s']:.2f} s: {report['last_error']}")
    return total['failed'] + total['late'] + total['wrong_answers']


def run(options, work):
    cluster = Cluster(options, work)
    names = [chr(ord('a') + i) for i in range(options.nodes)]
    failed = 0
    writers = None
    try:
        for name in names:
            cluster.start(name)
        writers = Writers(options, [address for address, _ in cluster.nodes.values()])
        cluster.wait_settled(options.ledgers)
        failed += show('quiet', writers.phase())
        for _ in range(options.rounds):
            for name in names:
                cluster.end(name)
                if options.kill:
                    cluster.wait_settled(options.ledgers)
                    show(f'{name} killed', writers.phase())
                    time.sleep(1)
                    failed += show('after', writers.phase())
                cluster.start(name)
                cluster.wait_settled(options.ledgers)
                failed += show(f'{name} again', writers.phase())
        writers.signal(signal.SIGTERM)
        failed += show('last', writers.read())
        audits = writers.read()
        total = {key: sum(audit[key] for audit in audits) for key in audits[0] if key not in ('phase', 'name')}
        print('audit', total)
        inexact = [key for key in ('lost', 'repeated', 'not_true') if total[key]]
        if not options.kill:
            inexact += [key for key in ('lost_casts', 'overtaken', 'new_lives', 'silent') if total[key]]
        return 1 if failed or inexact else 0
    finally:
        for writer in writers.all if writers else []:
            writer.kill()
        cluster.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--build', type=pathlib.Path, default=pathlib.Path('build/release'))
    parser.add_argument('--kill', action='store_true')
    for name, number in (('nodes', 5), ('ledgers', 1000), ('writers', 8), ('window', 64), ('rounds', 1)):
        parser.add_argument(f'--{name}', type=int, default=number)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix='ledger-'))
    code = run(options, work)
    print('exact' if code == 0 else f'NOT exact; logs: {work}')
    sys.exit(code)


if __name__ == '__main__':
    main()
