// Runs the program against the base URL given and prints what it saw as JSON.
import { refund } from './agent.mjs';

console.log(JSON.stringify(await refund(process.argv[2])));
