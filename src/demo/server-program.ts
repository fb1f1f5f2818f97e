// The program that the demo restarts: a small real HTTP server, as text, since it runs by `node -e` and needs no file.
// What it knows about itself (instance, uptime, requests served) is in its memory only: a new program cannot know it.
// It ends with its standard input, so it cannot outlive a demo that was killed; that holds after a restart too,
// where the parent-death signal of `unshare --kill-child` is reset as in any freshly started program.

export const serverProgram: string = `
const { createServer } = require('node:http');
const { randomBytes } = require('node:crypto');

const port = Number(process.env.DEMO_PORT);
const instance = randomBytes(4).toString('hex');
const startedNs = process.hrtime.bigint();
let served = 0;

const server = createServer((request, response) => {
  served += 1;
  const uptimeMs = Number(process.hrtime.bigint() - startedNs) / 1e6;
  response.setHeader('connection', 'close');
  response.end(JSON.stringify({ instance, pid: process.pid, uptimeMs, served }));
});

server.on('error', (error) => {
  console.error('instance ' + instance + ' cannot listen: ' + error.message);
  process.exit(1);
});
server.listen(port, '127.0.0.1', () => {
  console.log('instance ' + instance + ' listens on 127.0.0.1:' + port);
});

process.stdin.on('error', () => process.exit()).on('end', () => process.exit()).resume();
setTimeout(() => process.exit(), 60_000).unref();
`.trimStart();
