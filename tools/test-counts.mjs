// A reporter for Node's test runner that writes the run's counts as one line of JSON.

const names = ['tests', 'pass', 'fail', 'cancelled', 'skipped', 'todo'];

/** The counts as the runner states them at its end. A file that cannot be loaded counts as a failed test there. */
export default async function* counts(events) {
  const result = {};
  for await (const { type, data } of events) {
    const match = type === 'test:diagnostic' && data.nesting === 0 ? /^(\w+) (\d+)$/.exec(data.message) : null;
    if (match !== null && names.includes(match[1])) {
      result[match[1]] = Number(match[2]);
    }
  }
  yield `${JSON.stringify(result)}\n`;
}
