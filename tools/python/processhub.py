"""A client of a ProcessHub cluster: list, look up, start, stop, call, cast, publish and subscribe.

    import processhub
    with processhub.Client(['tcp://127.0.0.1:7001', 'tcp://127.0.0.1:7101']) as client:
        print(client.call('c1', 'add', {'by': 2}))      # {'total': 7}

Needs pyzmq and msgpack (Debian: python3-zmq, python3-msgpack). Speaks what docs/wire.md describes. One thread at a
time. A client talks to one node; when that dies or leaves, the next request goes to another. Nothing is sent twice.
Every request ends no later than its timeout, with a value or an Error whose `delivered` is 'no', 'yes' or 'unknown'.
"""

import collections
import os
import random
import re
import struct
import time

import msgpack
import zmq
from zmq.utils.monitor import recv_monitor_message

VERSION = 1
HELLO, REFUSAL, RESET, SESSION = 1, 2, 3, 4
CONTROL, DATA = 0, 1
FRAGMENT, LAST_FRAGMENT, GAP = 1, 2, 4
LEAVING, CALL_REQUEST, CALL_REPLY, ADMIN_REQUEST, ADMIN_REPLY, TOPIC_NEWS = 6, 16, 17, 18, 19, 34  # places in docs/wire.md
NAMED, SWEEP = 1, 2  # flags of a call
FRAME_TARGET = 64 * 1024
WINDOW = 256
RESEND_AFTER = 0.2
IDLE_LIMIT = 60.0  # a node forgets clients that it has not heard of for two minutes
KEEP_ALIVE = 20.0  # between signs of life of one that only listens
PATIENCE_WITH_ONE = 1.0
PATIENCE_WITH_SWEEPS = 2.0
BREAKS = {zmq.EVENT_CONNECT_RETRIED: 'nobody listens there', zmq.EVENT_DISCONNECTED: 'the connection broke',
          zmq.EVENT_HANDSHAKE_FAILED_AUTH: 'it does not accept our key'}

CODES = ['ok', 'invalid', 'no_such_child', 'already_started', 'timeout', 'node_down', 'overloaded', 'partitioned', 'moved',
         'stopped', 'unknown', 'worker_crashed', 'no_reply', 'no_such_message', 'would_block', 'start_failed',
         'rolled_back', 'refused', 'system', 'discarded']

_header = struct.Struct('<2sBBQBBQQQ')
_part = struct.Struct('<HI')
_call = struct.Struct('<BBBBIIQQ')


class Error(Exception):
    """Why a request failed. `code` is the name of an error code; `answer` is what a start or stop that was done in
    part said."""

    def __init__(self, code, text, answer=None):
        super().__init__(f'{code}: {text}')
        self.code = code
        self.text = text
        self.answer = answer

    @property
    def delivered(self):
        if self.code in ('worker_crashed', 'no_reply'):
            return 'yes'
        return 'unknown' if self.code in ('timeout', 'node_down', 'unknown', 'system') else 'no'


# What was published. `body`: its fields in their order; `publisher`: name and incarnation of a node; `missed`: how many under
# this topic were lost right before.
TopicMessage = collections.namedtuple('TopicMessage', 'topic message body publisher number missed reliable')


def _code_name(number):
    return CODES[number] if number < len(CODES) else 'unknown'


def _pack(value):
    """As the nodes write: text and bytes alike are msgpack strings."""
    return msgpack.packb(value, use_bin_type=False)


def _unpack(data):
    return msgpack.unpackb(data, raw=False, strict_map_key=False, unicode_errors='surrogateescape')


def _key(path, name):
    with open(path, encoding='utf-8') as file:
        found = re.search(rf'^\s*{name}\s*=\s*"?([^"\s]{{40}})"?\s*$', file.read(), re.MULTILINE)
    if not found:
        raise Error('invalid', f'{path} has no `{name}`')
    return found[1].encode()


class _Broken(Exception):
    """The connection ended; the text says why."""


class _Session:
    """One conversation with one node: numbered, acknowledged, resent."""

    def __init__(self, context, endpoint, keys, news, deadline):
        self.endpoint = endpoint
        self.replies = collections.deque()
        self.news, self.leaving = news, False
        self._id = 0
        self._sent = [0, 0]
        self._received = [0, 0]
        self._unacked = [collections.OrderedDict(), collections.OrderedDict()]
        self._partial = [b'', b'']
        self._gap = False
        self._owe_ack = False
        self._resend_at = 0.0
        self.last_used = time.monotonic()
        self._socket = context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 500)
        self._socket.setsockopt(zmq.RECONNECT_IVL, 10)
        if keys:
            public, secret, server = keys
            self._socket.curve_publickey, self._socket.curve_secretkey = public, secret
            self._socket.curve_serverkey = server
        self._monitor = self._socket.get_monitor_socket()
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        try:
            self._socket.connect(endpoint)
            self._greet(deadline)
        except zmq.ZMQError as error:
            self.close()
            raise _Broken(f'{endpoint}: {error}') from error
        except BaseException:
            self.close()
            raise

    def _greet(self, deadline):
        self._nonce = random.getrandbits(62) + 1
        self._self = [f'python-{os.getpid()}-{random.getrandbits(32)}', time.time_ns() // 1000]
        hello = [VERSION, VERSION, '', 1, [self._self], '', 0, self._nonce]
        self._socket.send(b'PH' + bytes([VERSION, HELLO]) + _pack(hello))
        while not self._id:
            if time.monotonic() >= deadline:
                raise _Broken(f'{self.endpoint} did not answer in time')
            self.pump(deadline)

    def send(self, lane, kind, body, deadline):
        """False: the node confirms nothing, and the deadline has passed."""
        while len(self._unacked[lane]) >= WINDOW:
            if time.monotonic() >= deadline:
                return False
            self.pump(deadline)
        part = _part.pack(kind, len(body)) + body
        if len(part) <= FRAME_TARGET:
            self._send_frame(lane, 0, part)
            return True
        for at in range(0, len(part), FRAME_TARGET):
            last = at + FRAME_TARGET >= len(part)
            self._send_frame(lane, FRAGMENT | (LAST_FRAGMENT if last else 0), part[at:at + FRAME_TARGET])
        return True

    def _send_frame(self, lane, flags, body):
        self._sent[lane] += 1
        if not (self._unacked[0] or self._unacked[1]):
            self._resend_at = time.monotonic() + RESEND_AFTER
        self._unacked[lane][self._sent[lane]] = (flags, body)
        self._emit(lane, flags, self._sent[lane], body)

    def _emit(self, lane, flags, number, body=b''):
        flags |= GAP if self._gap else 0
        self._owe_ack = False
        self.last_used = time.monotonic()
        head = _header.pack(b'PH', VERSION, SESSION, self._id, lane, flags, number, *self._received)
        self._socket.send(head + body)

    def pump(self, deadline):
        """Waits for something to happen, at most until the deadline, and deals with it."""
        now = time.monotonic()
        waiting = self._unacked[0] or self._unacked[1]
        until = min(deadline, self._resend_at) if waiting else deadline
        ready = dict(self._poller.poll(max(0, (until - now) * 1000)))
        broke = self._watch() if self._monitor in ready else None
        while True:
            try:
                frame = self._socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            self._on_frame(frame)
        if broke:
            raise _Broken(f'{self.endpoint}: {broke}')
        if self._owe_ack or self._gap:
            self._emit(CONTROL, 0, 0)
            self._gap = False
        if waiting and time.monotonic() >= self._resend_at:
            self._resend_at = time.monotonic() + 2 * RESEND_AFTER
            for lane in (CONTROL, DATA):
                for number, (flags, body) in self._unacked[lane].items():
                    self._emit(lane, flags, number, body)

    def _watch(self):
        broke = None
        while self._monitor.poll(0):
            broke = BREAKS.get(recv_monitor_message(self._monitor)['event'], broke)
        return broke

    def _on_frame(self, frame):
        if len(frame) < 4 or frame[:2] != b'PH' or frame[2] != VERSION:
            raise _Broken(f'{self.endpoint} is no ProcessHub node of this version')
        kind = frame[3]
        if kind == HELLO:
            self._on_hello(frame[4:])
        elif kind == REFUSAL:
            raise _Broken(f'{self.endpoint} refused us: {_unpack(frame[4:])[3]}')
        elif kind == RESET and self._id and frame[4:12] == struct.pack('<Q', self._id):
            raise _Broken(f'{self.endpoint} does not know this session any more')
        elif kind == SESSION and len(frame) >= _header.size:
            self._on_session(frame)

    def _on_hello(self, body):
        hello = _unpack(body)
        if self._id or hello[8] != self._nonce:
            return
        if not hello[9]:
            raise _Broken(f'{self.endpoint} is too old for this client')
        self._id = hello[9]

    def _on_session(self, frame):
        _, _, _, session, lane, flags, number, *acks = _header.unpack_from(frame)
        if session != self._id or lane > DATA:
            return
        for of, upto in zip(self._unacked, acks):
            while of and next(iter(of)) <= upto:
                of.popitem(last=False)
                self._resend_at = time.monotonic() + RESEND_AFTER
        if number == 0:
            return
        self._owe_ack = True
        if number != self._received[lane] + 1:
            self._gap = self._gap or number > self._received[lane] + 1
            return
        self._received[lane] = number
        self._take(lane, flags, frame[_header.size:])

    def _take(self, lane, flags, body):
        if flags & FRAGMENT:
            self._partial[lane] += body
            if not flags & LAST_FRAGMENT:
                return
            body, self._partial[lane] = self._partial[lane], b''
        at = 0
        while at < len(body):
            kind, size = _part.unpack_from(body, at)
            at += _part.size
            if kind == LEAVING:
                self.leaving = True
            else:
                (self.news if kind == TOPIC_NEWS else self.replies).append((kind, body[at:at + size]))
            at += size

    def close(self):
        if self._id:
            self._socket.send(b'PH' + bytes([VERSION, RESET]) + struct.pack('<Q', self._id))
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close()


class Client:
    """`nodes`: addresses of some nodes. `key_file`: this client's pair, `server_key_file`: the public key that nodes
    present (both as `hubctl keygen` writes them)."""

    def __init__(self, nodes, key_file=None, server_key_file=None, timeout=5.0):
        self._given = [nodes] if isinstance(nodes, str) else list(nodes)
        if not self._given:
            raise Error('invalid', 'name at least one node')
        self._nodes = list(self._given)
        self._keys = None
        if key_file:
            self._keys = _key(key_file, 'public'), _key(key_file, 'secret'), _key(server_key_file or key_file, 'public')
        self._context = zmq.Context()
        self._session = None
        self._number = 0
        self._unanswered = set()  # children whose last message was a cast
        self._patterns, self._queue = set(), collections.deque()
        self._orders, self._numbers = {}, {}
        self._connected(time.monotonic() + timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._drop()
        self._context.term()

    @property
    def endpoint(self):
        """The address of the node that is asked at present, or None."""
        return self._session.endpoint if self._session else None

    # -- messages

    def call(self, child, message, body=None, timeout=5.0):
        """The handler's answer; a message type's fields are a dict (or a list in their order)."""
        return _unpack(self.call_raw(child, message, _pack(body), timeout))

    def call_raw(self, child, message, body=b'', timeout=5.0, named=True):
        answer = self._ask(DATA, timeout, lambda number: self._call(child, message, body, timeout, named, number))
        self._unanswered.discard(child)
        return answer

    def cast(self, child, message, body=None, timeout=5.0):
        """Sent, and no more: whether it arrived shows in a later call only."""
        deadline = time.monotonic() + timeout
        session = self._connected(deadline)
        try:
            if not session.send(DATA, CALL_REQUEST, self._call(child, message, _pack(body), timeout, False, 0), deadline):
                raise Error('overloaded', 'the node takes no messages')
            self._unanswered.add(child)
            session.pump(0)
        except _Broken as why:
            self._drop()
            raise Error('node_down', f'{why}, with the message in flight') from why

    # -- topics

    def publish(self, topic, message, body=None, reliable=False, timeout=5.0):
        """To all subscribers of a matching pattern; `message` names its type."""
        self.request('publish', timeout, topic=topic, message=message, body=_pack(body), reliable=reliable)

    def subscribe(self, *patterns, timeout=5.0):
        """`*` is one token, `>` at the end one or more. What is published from now on comes out of next_message()."""
        self._want(self._patterns | set(patterns), timeout)

    def unsubscribe(self, *patterns, timeout=5.0):
        self._want(self._patterns - set(patterns), timeout)

    def next_message(self, timeout=5.0):
        """A TopicMessage, or None if none comes in time. Goes on with another node when its own dies or leaves."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                session = self._connected(deadline)
                if time.monotonic() - session.last_used > KEEP_ALIVE:
                    self._learn(deadline)
                while session.news:
                    if news := self._news(session.news.popleft()[1]):
                        return news
                if time.monotonic() < deadline:
                    session.pump(min(deadline, time.monotonic() + KEEP_ALIVE / 2))
            except (_Broken, Error):
                self._drop()
            if time.monotonic() >= deadline:
                return None

    def _want(self, patterns, timeout):
        self.request('subscribe', timeout, patterns=sorted(patterns))
        self._patterns = patterns

    def _news(self, body):
        topic, message, content, number, order, reliable, publisher, missed = msgpack.unpackb(body, raw=True)[:8]
        who, topic = (publisher[0].decode(), publisher[1]), topic.decode()
        if order <= self._orders.get((who, reliable), 0):
            return None  # two nodes told it
        self._orders[who, reliable] = order
        last = self._numbers.get((who, reliable, topic), 0)
        self._numbers[who, reliable, topic] = number
        missed = number - last - 1 if last and number > last else missed
        return TopicMessage(topic, message.decode(), _unpack(content) if content else None, who, number, missed, reliable)

    # -- the cluster

    def request(self, verb, timeout=5.0, **arguments):
        """Any request of hubctl."""
        return self._ask(CONTROL, timeout, lambda number: _pack([number, verb, _pack(arguments)]))

    def list(self, timeout=5.0):
        return self.request('list', timeout)

    def lookup(self, child, timeout=5.0):
        """None if there is no such child."""
        try:
            return self.request('lookup', timeout, id=child)
        except Error as error:
            if error.code != 'no_such_child':
                raise
            return None

    def nodes(self, timeout=5.0):
        return self.request('nodes', timeout)

    def start(self, *specs, timeout=10.0):
        """Each spec is a dict with id and type, and args, tag, restart … as hubctl's."""
        return self.request('start', timeout + 0.5, specs=list(specs), timeout_ms=int(timeout * 1000))

    def stop(self, *children, timeout=10.0):
        return self.request('stop', timeout + 0.5, ids=list(children), timeout_ms=int(timeout * 1000))

    # -- how

    @staticmethod
    def _call(child, message, body, timeout, named, number):
        child, message = child.encode(), message.encode()
        head = _call.pack(_call.size, NAMED if named else 0, 0, 0, len(child), len(message), number, int(timeout * 1e6))
        return head + child + message + body

    def _ask(self, lane, timeout, make):
        deadline = time.monotonic() + timeout
        session = self._connected(deadline)
        self._number += 1
        try:
            if not session.send(lane, CALL_REQUEST if lane == DATA else ADMIN_REQUEST, make(self._number), deadline):
                raise Error('overloaded', 'the node takes no requests')
            return self._answer(session, self._number, deadline)
        except _Broken as why:
            self._drop()
            raise Error('node_down', f'{why}, with the request in flight') from why

    def _answer(self, session, number, deadline):
        while True:
            while session.replies:
                kind, body = session.replies.popleft()
                if kind == CALL_REPLY:
                    size, code, token = struct.unpack_from('<BBQ', body)
                    if token == number and code:
                        raise Error(_code_name(code), body[size:].decode(errors='replace'))
                    if token == number:
                        return body[size:]
                elif kind == ADMIN_REPLY:
                    token, code, *_ = answer = msgpack.unpackb(body, raw=True)
                    if token == number:
                        return self._value(code, _unpack(answer[2]) if answer[2] else None)
            if time.monotonic() >= deadline:
                raise Error('timeout', 'no answer in time')
            session.pump(deadline)

    @staticmethod
    def _value(code, value):
        if code:
            raise Error(_code_name(code), value.get('error', ''), value)
        return value

    def _connected(self, deadline):
        if self._session and time.monotonic() - self._session.last_used > IDLE_LIMIT:
            self._drop()
        if self._session:
            try:
                self._session.pump(0)  # a connection that broke meanwhile shows here, before anything is sent
                if not self._session.leaving:
                    return self._session
                self._sweep(min(deadline, time.monotonic() + PATIENCE_WITH_SWEEPS))
            except _Broken:
                pass
            self._drop()
        why = ''
        while True:
            for node in list(self._nodes):
                try:
                    one = min(deadline, time.monotonic() + PATIENCE_WITH_ONE)
                    self._session = _Session(self._context, node, self._keys, self._queue, one)
                    self._learn(deadline)
                    if self._patterns:
                        self._quick('subscribe', _pack({'patterns': sorted(self._patterns)}), deadline)
                    return self._session
                except _Broken as broken:
                    why = str(broken)
                    self._drop()
                if time.monotonic() >= deadline:
                    raise Error('refused', f'no node could be reached; nothing was sent ({why})')
            time.sleep(min(0.05, max(0.0, deadline - time.monotonic())))  # all refused: one may just be starting

    def _learn(self, deadline):
        """The other nodes, for the day when this one dies."""
        known = self._quick('nodes', b'', deadline)
        learnt = [node['endpoint'] for node in known if node['state'] not in ('leaving', 'left', 'down')]
        here = self._session.endpoint
        self._nodes = [n for n in dict.fromkeys([*learnt, *self._given]) if n != here] + [here]

    def _sweep(self, deadline):
        """The node leaves. No cast must be overtaken on another way: a question is answered where its child is."""
        for child in self._unanswered:
            self._number += 1
            name = child.encode()
            head = _call.pack(_call.size, SWEEP, 0, 0, len(name), 0, self._number, int(PATIENCE_WITH_SWEEPS * 1e6))
            try:
                self._session.send(DATA, CALL_REQUEST, head + name, deadline)
                self._answer(self._session, self._number, deadline)
            except Error:
                pass  # no such child any more, or not in time

    def _quick(self, verb, arguments, deadline):
        self._number += 1
        self._session.send(CONTROL, ADMIN_REQUEST, _pack([self._number, verb, arguments]), deadline)
        try:
            return self._answer(self._session, self._number, min(deadline, time.monotonic() + PATIENCE_WITH_ONE))
        except Error as error:
            raise _Broken(str(error)) from error

    def _drop(self):
        self._unanswered.clear()
        if self._session:
            self._session.close()
            self._session = None
