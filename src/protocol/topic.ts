// Which topic names a filter matches (4.7). Levels are compared unit by unit: no case, no normalisation [MQTT-4.7.3-4].

/**
 * Whether a filter matches a topic, both cut at `/`.
 * @param captured gets what the wildcards stood for: a level for each `+`, the rest for `#`
 */
export function matchLevels(filter: readonly string[], topic: readonly string[], captured: string[] = []): boolean {
  const wild = filter[0] === '+' || filter[0] === '#';
  if (wild && topic[0]!.charAt(0) === '$') return false; // [MQTT-4.7.2-1]
  for (let i = 0; i < filter.length; i++) {
    const level = filter[i]!;
    if (level === '#') {
      captured.push(topic.slice(i).join('/'));
      return true; // The parent level included: sport/# matches sport (4.7.1.2).
    }
    const name = topic[i];
    if (name === undefined) return false;
    if (level === '+')
      captured.push(name); // An empty level included (4.7.1.3).
    else if (level !== name) return false;
  }
  return filter.length === topic.length;
}

/** Whether a topic filter matches a topic name; both must be legal. */
export const matches = (filter: string, topic: string): boolean => matchLevels(filter.split('/'), topic.split('/'));
