// The program that the demo restarts: a small real HTTP server, as text, since it runs by `node -e` and needs no file.
// It has the shutdown that a server should have, and nothing in it knows of hotexec. What it knows about itself (instance, requests
// served) is in its memory only: a new program cannot know it. It ends with its standard input, so it cannot outlive a demo that was
// killed; that holds after a restart too, where the parent-death signal of `unshare --kill-child` is reset as in any fresh program.

/** The one that cannot start. */
export const brokenVersion = '2.0';

export const serverProgram: string = `
const { createServer } = require('node:http');
const { randomBytes } = require('node:crypto');

const port = Number(process.env.DEMO_PORT);
const version = process.env.DEMO_VERSION;
const instance = randomBytes(4).toString('hex');
let served = 0;

if (version === '${brokenVersion}') {
  console.error('version ' + version + ' cannot start: its configuration is missing');
  process.exit(1);
}

const server = createServer((request, response) => {
  served += 1;
  const workMs = Number(request.url.slice(1));
  setTimeout(() => {
    response.setHeader('connection', 'close');
    response.end(JSON.stringify({ instance, version, pid: process.pid, served }));
  }, workMs);
});

server.on('error', (error) => {
  console.error('version ' + version + ' cannot listen: ' + error.message);
  process.exit(1);
});
server.listen(port, '127.0.0.1', () => {
  console.log('version ' + version + ' (' + instance + ') listens on 127.0.0.1:' + port);
});

process.once('SIGTERM', () => {
  server.close(() => {
    console.log('version ' + version + ' (' + instance + ') has finished after ' + served + ' requests');
    process.exit(0);
  });
});

process.stdin.on('error', () => process.exit()).on('end', () => process.exit()).resume();
setTimeout(() => process.exit(), 60_000).unref();
`.trimStart();
