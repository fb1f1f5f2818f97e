// client.ts HOST PORT: asks all the time, says so once it has been answered, and at a line on its input how long the slowest answer took.
import { slowestAnswer } from './asking.ts';

const [host = '', port = ''] = process.argv.slice(2);
const server = { host, port: Number(port) };
await slowestAnswer(server, () => true);
let isEnough = false;
process.stdin.once('data', () => (isEnough = true));
process.stdout.write('asking\n');
process.stdout.write(`${await slowestAnswer(server, () => isEnough)}\n`);
process.stdin.destroy();
