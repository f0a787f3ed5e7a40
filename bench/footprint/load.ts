// What it takes to import something: CPU, and memory of the process afterwards. Arguments: what to import.

const names = process.argv.slice(2);
const before = process.cpuUsage();
for (const name of names) await import(name);
const { user, system } = process.cpuUsage();
/** Since the process was started, and for the import alone: in milliseconds. */
const whole = (user + system) / 1_000;
const millis = whole - (before.user + before.system) / 1_000;
console.log(JSON.stringify({ whole, millis, resident: process.memoryUsage.rss() }));
process.exit();
