// Photos: made small on the phone before they are kept.
import * as store from './phone-store.js';
import { digest } from './phone-store.js';

const longest = 1600; // pixels: enough to read a page of minutes
const quality = 0.8;

/** Keeps a photo for an item of a draft, shrunk; gives its file name. */
export async function takePhoto(draft, path, file) {
  const blob = await shrink(file).catch(() => file); // what cannot be read as a picture is kept as it is
  const bytes = await blob.arrayBuffer();
  const end = blob.type === 'image/jpeg' ? 'jpg' : (/\.([a-z0-9]{1,5})$/i.exec(file.name)?.[1] ?? 'bin').toLowerCase();
  const name = `${path.replaceAll('/', '_')}-${Date.now().toString(36)}.${end}`;
  await store.keepPhoto({ draft, name, path, blob, type: blob.type || 'application/octet-stream', size: blob.size, sha256: await digest(bytes, 'base64'), taken: Date.now() });
  return name;
}

async function shrink(file) {
  if (!file.type.startsWith('image/')) return file;
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
  if (scale === 1 && file.type === 'image/jpeg' && file.size < 600e3) { picture.close(); return file; }
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const small = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));
  return small && small.size < file.size ? small : file;
}
