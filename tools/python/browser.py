"""Drives a headless Chromium through its DevTools pipe: for tests of zmq-monitor's page and for its pictures.

Nothing but the standard library and Debian's `chromium` is needed. One thread; the browser ends with the object.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


def program():
    """The browser of this machine, None if it has none."""
    return shutil.which('chromium')


class Browser:
    def __init__(self, width=1440, height=900, dark=False, mobile=False):
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        self._profile = tempfile.TemporaryDirectory(prefix='browser-')
        # The pipe is on 3 and 4 by definition.
        command = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
        self._process = subprocess.Popen(
            ['bash', '-c', command, program(), '--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars',
             '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-pipe', '--force-color-profile=srgb',
             '--disable-extensions', '--disable-background-networking', f'--user-data-dir={self._profile.name}',
             'about:blank'],
            pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        os.close(to_read)
        os.close(to_write)
        self._buffer = b''
        self._last = 0
        self._session = None
        self.problems = []  # what the page complained about
        target = self.send('Target.createTarget', url='about:blank')['targetId']
        self._session = self.send('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log'):
            self.send(domain + '.enable')
        self.resize(width, height, mobile)
        self.send('Emulation.setEmulatedMedia',
                  features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.send('Browser.close', deadline=3)
        except (OSError, RuntimeError):
            pass
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, 9)
            self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def resize(self, width, height, mobile=False):
        self.send('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def open(self, url):
        self.send('Page.navigate', url=url)
        self.wait(f'document.readyState === "complete" && location.href.startsWith({json.dumps(url)})')

    def value(self, script):
        """What a JavaScript expression comes to."""
        answer = self.send('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in answer:
            raise RuntimeError(answer['exceptionDetails']['exception'].get('description', script))
        return answer['result'].get('value')

    def wait(self, script, limit=20):
        """Until the expression is true."""
        end = time.monotonic() + limit
        while not self.value(f'Boolean({script})'):
            if time.monotonic() > end:
                raise RuntimeError(f'not within {limit} s: {script}; the page says: {self.value("document.body.innerText")[:2000]}')
            time.sleep(0.05)

    def picture(self, path, whole=False):
        png = self.send('Page.captureScreenshot', format='png', captureBeyondViewport=whole)
        with open(path, 'wb') as file:
            file.write(base64.b64decode(png['data']))

    def send(self, method, deadline=30, **parameters):
        self._last += 1
        message = {'id': self._last, 'method': method, 'params': parameters}
        if self._session:
            message['sessionId'] = self._session
        os.write(self._to, json.dumps(message).encode() + b'\0')
        end = time.monotonic() + deadline
        while True:
            answer = self._read(end)
            if answer.get('id') == self._last:
                if 'error' in answer:
                    raise RuntimeError(f'{method}: {answer["error"]["message"]}')
                return answer['result']
            self._note(answer)

    def _note(self, event):
        if event.get('method') == 'Runtime.exceptionThrown':
            details = event['params']['exceptionDetails']
            self.problems.append(details.get('exception', {}).get('description', details['text']))
        elif event.get('method') == 'Log.entryAdded' and event['params']['entry']['level'] == 'error':
            self.problems.append(event['params']['entry']['text'])

    def _read(self, end):
        while b'\0' not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0, end - time.monotonic()))
            part = os.read(self._from, 1 << 20) if ready else b''
            if not part:
                raise RuntimeError('the browser does not answer')
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b'\0')
        return json.loads(message)
