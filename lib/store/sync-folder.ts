/**
 * Makes the name of a file as durable as its content: a new name is in the folder, which has pages of its own.
 *
 * Windows opens no folder for this purpose, so there nothing happens: after a power failure the old file may be
 * back, or the new one. Either one is whole. Some network file systems refuse to sync a folder: the same holds.
 */

import { open } from 'node:fs/promises';

/** What file systems answer that cannot sync a folder. */
const unsupported = ['EINVAL', 'ENOTSUP', 'ENOSYS'];

/** Rejects with the error of the system. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!unsupported.includes((error as { code: string }).code)) throw error;
  } finally {
    await handle.close();
  }
}
