// Responses as bytes, put together of parts that all streams share: a resource is packed once (snapshot/resource.ts), and
// what stands before its bytes in a response is written once; a response is those parts in a row. Field numbers are of
// envoy.service.discovery.v3 and google.protobuf.Any. Pure but for that memory.

import { fieldHead, stringField } from '#protos/wire-format.ts';
import { TYPE_URLS } from '#xds-server/resource-kind.ts';
import type { Resource } from '#xds-server/snapshot/resource.ts';
import type { Told } from '#xds-server/stream/conversation.ts';
import { responseVersion, toldVersion } from '#xds-server/stream/held-versions.ts';

const ANY = { typeUrl: 1, value: 2 };
const RESOURCE = { version: 1, resource: 2, name: 3 };
const DELTA = { systemVersionInfo: 1, resources: 2, typeUrl: 4, nonce: 5, removedResources: 6 };
const SOTW = { versionInfo: 1, resources: 2, typeUrl: 4, nonce: 5 };

/** What stands before the value of a resource's Any. */
const anyHead = ({ any }: Resource): Buffer => {
  const { type_url, value } = any;
  return Buffer.concat([stringField(ANY.typeUrl, type_url), fieldHead(ANY.value, value.length)]);
};

/** The Any as the whole entry. */
const sotwHead = (resource: Resource): Buffer => {
  const any = anyHead(resource);
  return Buffer.concat([fieldHead(SOTW.resources, any.length + resource.any.value.length), any]);
};

/** The Any within its Resource, whose last field it is, so that its value ends the entry. */
const deltaHead = (resource: Resource, sequence: number): Buffer => {
  const any = anyHead(resource);
  const own = Buffer.concat([
    stringField(RESOURCE.version, toldVersion(resource.version, sequence)),
    stringField(RESOURCE.name, resource.name),
    fieldHead(RESOURCE.resource, any.length + resource.any.value.length),
    any,
  ]);
  return Buffer.concat([fieldHead(DELTA.resources, own.length + resource.any.value.length), own]);
};

type HeadOf = (resource: Resource, sequence: number) => Buffer;

/** All streams are at the newest publication or on their way there, so one head of each resource serves them. */
const remembered = (make: HeadOf): HeadOf => {
  const heads = new WeakMap<Resource, { readonly head: Buffer; readonly sequence: number }>();
  return (resource, sequence) => {
    const known = heads.get(resource);
    if (known?.sequence === sequence) return known.head;
    const head = make(resource, sequence);
    heads.set(resource, { head, sequence });
    return head;
  };
};

const sotwHeadOf = remembered(sotwHead);
const deltaHeadOf = remembered(deltaHead);

/** A DeltaDiscoveryResponse. The sequence is for people: the protocol has versions by resource. */
export const encodeDelta = ({ kind, nonce, sequence, resources, removed }: Told): Buffer =>
  Buffer.concat([
    stringField(DELTA.systemVersionInfo, String(sequence)),
    ...resources.flatMap((resource) => [deltaHeadOf(resource, sequence), resource.any.value]),
    stringField(DELTA.typeUrl, TYPE_URLS[kind]),
    stringField(DELTA.nonce, nonce),
    ...removed.map((name) => stringField(DELTA.removedResources, name)),
  ]);

/** A DiscoveryResponse. Its version is of the whole response; content is compared by resource, so the sequence serves. */
export const encodeSotw = ({ kind, nonce, sequence, resources }: Told): Buffer =>
  Buffer.concat([
    stringField(SOTW.versionInfo, responseVersion(sequence, nonce)),
    ...resources.flatMap((resource) => [sotwHeadOf(resource, sequence), resource.any.value]),
    stringField(SOTW.typeUrl, TYPE_URLS[kind]),
    stringField(SOTW.nonce, nonce),
  ]);
