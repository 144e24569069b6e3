// SPDX-License-Identifier: Apache-2.0
// Node sends a body to a URL that redirects: fetch() follows by itself, the http2 module by the few lines below.
//
// node follow.mjs fetch|http2: each line of standard input is "METHOD URL FILE KIND", KIND being "bytes" or "stream".
// For each a line: the statuses on the way, the HTTP version, and what the last server said, or "error:" and its cause.
import { createReadStream, readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

async function withFetch(method, url, path, kind) {
    const body = kind === 'stream' ? Readable.toWeb(createReadStream(path)) : new Blob([readFileSync(path)]);
    const answer = await fetch(url, { method, body, duplex: 'half' });
    return [answer.redirected ? 'redirected' : 'at once', answer.status, 'HTTP/1.1', (await answer.text()).trim()];
}

function ask(session, method, path, body) {
    return new Promise((resolve, reject) => {
        const stream = session.request({ ':method': method, ':path': path });
        const answer = { text: '' };
        stream.setEncoding('utf8');
        stream.on('response', (fields) => Object.assign(answer, { status: fields[':status'], location: fields.location }));
        stream.on('data', (text) => { answer.text += text; });
        stream.on('end', () => resolve(answer));
        stream.on('error', reject);
        stream.end(body);
    });
}

const sessions = {};

async function withHttp2(method, url, path) {
    const { origin } = new URL(url);
    const body = readFileSync(path);
    const statuses = [];
    const session = sessions[origin] ??= http2.connect(origin);
    for (let next = new URL(url); ; ) {
        const answer = await ask(session, method, next.pathname + next.search, body);
        statuses.push(answer.status);
        if (answer.status !== 307 && answer.status !== 308) return [...statuses, 'HTTP/2', answer.text.trim()];
        next = new URL(answer.location, next);
    }
}

const send = { fetch: withFetch, http2: withHttp2 }[process.argv[2]];
for await (const line of createInterface({ input: process.stdin })) {
    try {
        console.log(...await send(...line.split(' ')));
    } catch (error) {
        console.log('error:', error.cause?.message ?? error.message);
    }
}
for (const session of Object.values(sessions)) session.close();
