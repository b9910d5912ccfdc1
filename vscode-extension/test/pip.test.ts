/** What pip is given, and what is made of what it says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainFailure, pipEnvironment, progressOf } from '../src/pip';

const noProxy = { proxy: '', noProxy: [] };

test('settings of pip and proxies of the environment reach pip', () => {
  const env = pipEnvironment({ PIP_INDEX_URL: 'https://packages.example', https_proxy: 'http://proxy.example', PIP_CERT: 'c.pem' }, noProxy);
  assert.equal(env['PIP_INDEX_URL'], 'https://packages.example');
  assert.equal(env['https_proxy'], 'http://proxy.example');
  assert.equal(env['PIP_CERT'], 'c.pem');
});

test('the proxy of the editor comes before those of the environment, in every spelling', () => {
  const env = pipEnvironment({ https_proxy: 'http://old.example', ALL_PROXY: 'socks5://old.example' }, { proxy: 'proxy.example:3128', noProxy: ['intern.example'] });
  for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy']) {
    assert.equal(env[name], 'http://proxy.example:3128');
  }
  assert.equal(env['ALL_PROXY'], undefined);
  assert.equal(env['NO_PROXY'], 'intern.example');
});

test('what would send packages elsewhere does not reach pip', () => {
  const env = pipEnvironment({ PIP_USER: '1', PIP_TARGET: '/tmp/x', PYTHONPATH: '/w', PYTHONHOME: '/p', PIP_REQUIRE_VIRTUALENV: '1' }, noProxy);
  assert.deepEqual(Object.keys(env).sort(), ['PIP_RETRIES', 'PYTHONUTF8']);
});

const said: [line: string, message: string | undefined][] = [
  ['Collecting pydantic>=2.6 (from osiris-oml==0.1.0)', 'looking for pydantic'],
  ['  Downloading pydantic_core-2.50.4-cp311-cp311-manylinux2014_x86_64.whl (2.2 MB)', 'downloading pydantic_core (2.2 MB)'],
  ['Installing collected packages: click, osiris-oml', 'installing'],
  ['Processing ./osiris_oml-0.1.0-py3-none-any.whl', undefined],
];

for (const [line, message] of said) {
  test(`"${line.trim()}" is ${message === undefined ? 'nothing new' : `"${message}"`}`, () => assert.equal(progressOf(line), message));
}

const failures: [what: string, output: string, message: RegExp][] = [
  ['no network', "WARNING: Retrying ... NewConnectionError('Failed to establish a new connection: [Errno -2] Name or service not known')\nERROR: No matching distribution found for click>=8.1", /index cannot be reached.*PIP_FIND_LINKS.*osiris\.server\.interpreter/],
  ['an unreachable proxy', "ProxyError('Cannot connect to proxy.', NewConnectionError('Connection refused'))", /^The package index cannot be reached through the proxy.*http\.proxy/],
  ['a proxy with a password', 'Tunnel connection failed: 407 Proxy Authentication Required', /^The proxy asks for a name and a password/],
  ['a certificate of the company', 'SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")', /PIP_CERT/],
  ['a full disk', "OSError: [Errno 28] No space left on device", /^The disk is full/],
  ['a package without a wheel', 'ERROR: Could not find a version that satisfies the requirement x\nERROR: No matching distribution found for x>=1', /has x>=1 for this Python/],
  ['anything else', 'ERROR: something new', /pip could not install what Osiris needs: something new\. Osiris: Doctor shows all/],
];

for (const [what, output, message] of failures) {
  test(`${what} is explained`, () => assert.match(explainFailure(output), message));
}

test('where there is a proxy, what cannot be reached may be the proxy', () => {
  const output = "NewConnectionError('Connection refused')";
  assert.match(explainFailure(output, { https_proxy: 'http://proxy.example' }), /through the proxy\. Check the setting http\.proxy/);
  assert.match(explainFailure(output, {}), /^The package index cannot be reached\. /);
});
