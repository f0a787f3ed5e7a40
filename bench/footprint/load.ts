// What it takes to import something: CPU, and memory of the process afterwards. Arguments: what to import.

const names = process.argv.slice(2);
const before = process.cpuUsage();
for (const name of names) await import(name);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ millis: (user + system) / 1_000, resident: process.memoryUsage.rss() }));
process.exit();
