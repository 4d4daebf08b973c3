/**
 * The text of a queued message as chunks, from memory or from its spool file, so that a message of any size takes the
 * memory of a few chunks. A file that is shorter or longer than the queue says is an error: it is never sent in part.
 * Effects: reads the spool folder.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { GatewayError } from '../core/errors.ts';
import type { Body } from '../core/ports.ts';

const CHUNK_BYTES = 128 * 1024;
const EIGHT_BIT = 0x80;
const HEADER_END = '\r\n\r\n';

export type BodySource = {
  readonly bytes: number;
  /** Rejects with GatewayError `storage`. */
  chunks(): AsyncIterable<Buffer>;
  /** The first octets, at most this many. */
  head(maxBytes: number): Promise<Buffer>;
};

/** Opens nothing yet: reading does, and rejects with GatewayError `storage`. */
export function openBody(body: Body, spoolDir: string): BodySource {
  return body.kind === 'inline'
    ? inlineSource(body.bytes)
    : fileSource(path.join(spoolDir, path.basename(body.file)), body.size);
}

/** Whether the text, or its header alone, has octets above 127, whatever its sender declared. */
export async function has8bit(source: BodySource, part: 'text' | 'header'): Promise<boolean> {
  let before: Buffer = Buffer.alloc(0);
  for await (const chunk of source.chunks()) {
    // The empty line that ends the header may lie across two chunks.
    const seen = part === 'text' ? chunk : Buffer.concat([before, chunk]);
    const end = part === 'text' ? -1 : seen.indexOf(HEADER_END);
    if ((end < 0 ? seen : seen.subarray(0, end)).some((octet) => octet >= EIGHT_BIT)) return true;
    if (end >= 0) return false;
    before = seen.subarray(-HEADER_END.length + 1);
  }
  return false;
}

function inlineSource(octets: Uint8Array): BodySource {
  const bytes = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  return {
    bytes: bytes.length,
    async *chunks() {
      yield bytes;
    },
    head: async (maxBytes) => bytes.subarray(0, maxBytes),
  };
}

function fileSource(file: string, size: number): BodySource {
  return {
    bytes: size,
    async *chunks() {
      let seen = 0;
      try {
        for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
          seen += (chunk as Buffer).length;
          yield chunk as Buffer;
        }
      } catch (error) {
        throw new GatewayError('storage', 'the spool file cannot be read', { cause: error });
      }
      if (seen !== size) throw new GatewayError('storage', `the spool file has ${seen} octets instead of ${size}`);
    },
    async head(maxBytes) {
      try {
        await using handle = await open(file);
        const buffer = Buffer.alloc(Math.min(maxBytes, size));
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
        return buffer.subarray(0, bytesRead);
      } catch (error) {
        throw new GatewayError('storage', 'the spool file cannot be read', { cause: error });
      }
    },
  };
}
