// The device runs, after its module was loaded and frozen: the end-to-end script, or every module at once.

import { serve } from '../xs/guest.ts';

export { FakeHost } from '../../support/ecma419.ts';

import type * as App from './app.ts';

declare const app: typeof App;

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (it) => it.charCodeAt(0));

serve({
  start(parts, settings, print) {
    const { program, endpoint } = settings as { program: string; endpoint: { host: string; port: number } };
    const adapter = app.ecma419Tcp(parts);
    if (program === 'end-to-end')
      return app.endToEnd({ ...(settings as never as Parameters<typeof app.endToEnd>[0]), adapter, print });
    const signed = [app.hmacmd5, app.hmacsha1, app.hmacsha256].map(
      (it) => it.hmac(bytes('key'), bytes('content')).length,
    );
    print(`signed ${signed}`);
    const client = app.device(Object.assign(adapter, { security: 'authenticated' as const }), endpoint);
    const records: Record<string, ArrayBuffer> = {};
    const storage = {
      get: (_: string, key: string) => records[key],
      set: (_: string, key: string, value: ArrayBuffer) => {
        records[key] = value;
      },
      delete: (_: string, key: string) => void delete records[key],
      keys: () => Object.keys(records),
    };
    app.persistSession(client, app.preferenceStore(storage, 'mqtt'));
    app.quarantine(client);
    const box = new app.BlackBox(client);
    new app.Router(client).subscribe('down/+', { qos: 1 }, (_, [name]) => print(`routed ${name}`));
    client.on('connected', () => {
      new app.PromiseClient(client).publish('up', 'x', { qos: 1 }).then(
        () => print(`published, ${box.dump().length > 0}`),
        (error) => print(app.explain(error)),
      );
    });
    client.connect();
  },
});
