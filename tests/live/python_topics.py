#!/usr/bin/env python3
"""python_topics.py ENDPOINT COUNT: subscribes to cpp.>, publishes COUNT messages under py.x, waits for COUNT of its own."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tools' / 'python'))
try:
    import processhub
except ImportError as missing:
    print(f'skipped: {missing}', flush=True)
    sys.exit(0)

endpoint, count = sys.argv[1], int(sys.argv[2])
with processhub.Client([endpoint]) as client:
    client.subscribe('cpp.>')
    print('subscribed', flush=True)
    for n in range(count):
        client.publish('py.x', 'tick', [n], reliable=True)
    heard = []
    while len(heard) < count:
        message = client.next_message(20)
        if message is None:
            raise SystemExit(f'only {len(heard)} came')
        heard.append(message)
    bodies = [message.body for message in heard]
    if bodies != [[n] for n in range(1, count + 1)] or any(m.missed or m.topic != 'cpp.x' for m in heard):
        raise SystemExit(f'wrong: {heard}')
    print(f'heard {len(heard)}', flush=True)
