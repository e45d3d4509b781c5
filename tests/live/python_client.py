#!/usr/bin/env python3
"""python_client.py CHILDREN CALLS ENDPOINT...: what tests/live/python_client_test.cpp runs against its cluster.

Starts CHILDREN counters, makes CALLS calls with a cast before each, and prints one line of JSON. It says `half` when
half of the calls are made: the test then kills the node that is being asked, in one of its cases.
"""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tools' / 'python'))
try:
    import processhub
except ImportError as missing:
    print(f'skipped: {missing}', flush=True)
    sys.exit(0)


def check(what, good):
    if not good:
        raise SystemExit(f'wrong: {what}')


def code_of(act):
    try:
        act()
    except processhub.Error as error:
        return error.code
    return None


def first_steps(client):
    client.start({'id': 'p', 'type': 'counter', 'args': {'start': 5}, 'metadata': {'k': 'v'}})
    check('call', client.call('p', 'add', {'by': 2}) == {'total': 7})
    client.cast('p', 'add', {'by': 3})
    check('cast', client.call('p', 'get', {}) == {'total': 10})
    check('list', 'p' in [child['id'] for child in client.list()])
    check('lookup', client.lookup('p')['metadata'] == {'k': 'v'} and client.lookup('nobody') is None)
    check('no such child', code_of(lambda: client.call('nobody', 'get', {})) == 'no_such_child')
    check('crash', code_of(lambda: client.call('p', 'crash', {})) == 'worker_crashed')
    check('timeout', code_of(lambda: client.call('p', 'sleep', {'ms': 300}, timeout=0.03)) == 'timeout')
    check('invalid', code_of(lambda: client.request('nonsense')) == 'invalid')
    check('large', len(client.call_raw('p', 'get', b'\x90')) > 0)
    check('too large a body is said', code_of(lambda: client.call('p', 'get', ['x' * 300_000])) is not None)
    client.stop('p')


def main():
    children, calls, endpoints = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    with processhub.Client(endpoints) as client:
        first_steps(client)
        client.start(*({'id': f'py-{i}', 'type': 'counter'} for i in range(children)))
        failed, codes = 0, {}
        for n in range(calls):
            if n == calls // 2:
                print(json.dumps({'half': client.endpoint}), flush=True)
            child = f'py-{n % children}'
            try:
                client.call(child, 'add', {'by': 1}, timeout=5)
            except processhub.Error as error:
                failed += 1
                codes[error.code] = codes.get(error.code, 0) + 1
        totals = sum(client.call(f'py-{i}', 'get', {}, timeout=5)['total'] for i in range(children))
        print(json.dumps({'failed': failed, 'codes': codes, 'total': totals, 'endpoint': client.endpoint}), flush=True)


main()
