// Runs one third-party package in plain Node, with the few browser globals that it looks for, and exposes it to the
// test over IPC. Not inside jest: some packages mix CommonJS and ESM, which jest cannot load on Node 20.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
/** @type {any} */
const browser = globalThis;
const XMLHttpRequest = require('xhr2');
const { WebSocket } = require('ws');

/** The host that look-ups go to: packages hardcode their vendor's, so this acts as if DNS resolved that one to us. */
let lookUpHost = '';
const vendorLookUp = /^https:\/\/\w+\.(chat\.agora\.io|easemob\.com)(?=\/easemob\/server\.json\b)/;

/** Whatever a package tries to report to its vendor, nothing leaves this machine. */
class LoopbackRequest extends XMLHttpRequest {
  /** @param {string} method @param {string} asked @param {unknown[]} rest */
  open(method, asked, ...rest) {
    const url = lookUpHost === '' ? asked : asked.replace(vendorLookUp, lookUpHost);
    if (new URL(url).hostname !== '127.0.0.1') throw new Error(`a blocked request to ${url}`);
    super.open(method, url, ...rest);
  }
}

/** @type {Record<string, (options: any) => any>} */
const makers = {
  'qiscus-sdk-core': () => new (require('qiscus-sdk-core'))(),
  'agora-chat': (options) => connection(() => require('agora-chat'), options),
  'easemob-websdk': (options) => connection(() => require('easemob-websdk'), options),
};

/** @param {() => any} load runs after the globals are set @param {{ lookUp?: string }} options */
function connection(load, { lookUp = '', ...options }) {
  lookUpHost = lookUp;
  const location = { protocol: 'http:', host: '127.0.0.1', href: 'http://127.0.0.1/' };
  const document = { location, addEventListener() {}, createElement: () => ({}) };
  const storage = { getItem: () => null, setItem: () => undefined };
  Object.assign(browser, { XMLHttpRequest: LoopbackRequest, WebSocket, localStorage: storage, location, document });
  Object.assign(browser, { self: browser, window: browser });
  browser.addEventListener = () => undefined;
  const sdk = load();
  (sdk.default ?? sdk).logger.disableAll();
  return new (sdk.default ?? sdk).connection(options);
}

/** @type {any} */
let client;

/** @param {any} error */
function serializeError(error) {
  const { message, status, type, data, response } = error ?? {};
  return { message: message ?? String(error), status, type, data, body: response?.body };
}

// What a package does on its own in the background is not under test.
process.on('unhandledRejection', () => undefined);
process.on('uncaughtException', () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', async (/** @type {any} */ { id, make, options, method, args, path }) => {
  try {
    if (make !== undefined) client = makers[make]?.(options);
    let value = null;
    if (method !== undefined) {
      const [name, ...owners] = method.split('.').reverse();
      value = await owners
        .reduceRight((/** @type {any} */ one, /** @type {string} */ owner) => one[owner], client)
        [name](...args);
    }
    if (path !== undefined)
      value = path.split('.').reduce((/** @type {any} */ one, /** @type {string} */ name) => one?.[name], client);
    process.send?.({ id, value: value ?? null });
  } catch (error) {
    process.send?.({ id, error: serializeError(error) });
  }
});
