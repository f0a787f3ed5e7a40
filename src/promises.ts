// mqtt-mote/promises: promises, AbortSignal and asynchronous iteration over a client.

export {
  type Cancellable,
  type MessageStream,
  type MessagesOptions,
  PromiseClient,
  type RoutedMessage,
} from './modules/promises.ts';
