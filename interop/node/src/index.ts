export { Caller, type CallerOptions } from "./caller.js";
export { Channel, type ChannelEvent, type ChannelOptions, type TriggerOptions } from "./channel.js";
export type { Json } from "./json.js";
export { readJson } from "./content/json-read.js";
export { writeJson } from "./content/json-write.js";
export {
  AlreadyAnswered,
  ConnectFailed,
  type Diagnosis,
  EndpointClosed,
  HandlerFailed,
  InvalidArgument,
  NoResponders,
  RedisIpcError,
  Rejection,
  type RejectionOptions,
  RequestCancelled,
  RequestFailed,
  RequestRejected,
  RequestTimeout,
  TooManyOutstanding,
  UnsendableValue,
} from "./errors.js";
export type { Peer } from "./core/peers.js";
export type { Stats } from "./core/vitals.js";
export type { ConnectionState, Health } from "./lifecycle.js";
export type { EndpointEvents, Problem } from "./events.js";
export type { Observation, Observer } from "./observing.js";
export type { EndpointOptions, SendOptions } from "./options.js";
export type { PingOptions } from "./ping.js";
export type { ExposeErrors, ReasonCode } from "./reasons.js";
export { type IncomingRequest, NO_ANSWER } from "./request.js";
export { type Handler, Stream, type StreamOptions } from "./stream.js";
export { VERSION } from "./version.js";
