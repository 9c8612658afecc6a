// Digests of digest(): the browser's own are asynchronous and missing on pages
// without HTTPS, and an expression needs its value at once. Constants are
// computed, not copied. Loaded by expr.js; forms seldom use it, so it is small
// rather than fast.

const primes = (n) => {
  const out = [];
  for (let p = 2; out.length < n; p++) if (out.every((q) => p % q)) out.push(p);
  return out;
};

// root gives the first bits of the fraction of a prime's square or cube root.
function root(prime, power, bits) {
  const target = BigInt(prime) << BigInt(bits * power);
  let low = 0n;
  let high = 1n << BigInt(bits + 8);
  while (high - low > 1n) {
    const mid = (low + high) >> 1n;
    if (mid ** BigInt(power) <= target) low = mid;
    else high = mid;
  }
  return BigInt.asUintN(bits, low);
}

// padded is the message with its end mark and length, in blocks.
function padded(bytes, block, littleEndian) {
  const room = block / 8;
  const size = Math.ceil((bytes.length + 1 + room) / block) * block;
  const out = new Uint8Array(size);
  out.set(bytes);
  out[bytes.length] = 0x80;
  const view = new DataView(out.buffer);
  if (littleEndian) view.setBigUint64(size - 8, BigInt(bytes.length) * 8n, true);
  else view.setBigUint64(size - 8, BigInt(bytes.length) * 8n);
  return view;
}

const rotl = (x, n) => (x << n) | (x >>> (32 - n));

function md5(bytes) {
  const view = padded(bytes, 64, true);
  const shifts = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
  const h = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let at = 0; at < view.byteLength; at += 64) {
    let [a, b, c, d] = h;
    for (let i = 0; i < 64; i++) {
      const round = i >> 4;
      const f = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round];
      const g = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] % 16;
      const k = Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32);
      const sum = (a + f + k + view.getUint32(at + 4 * g, true)) | 0;
      [a, d, c, b] = [d, c, b, (b + rotl(sum, shifts[round][i % 4])) | 0];
    }
    [a, b, c, d].forEach((x, i) => { h[i] = (h[i] + x) | 0; });
  }
  const out = new DataView(new ArrayBuffer(16));
  h.forEach((x, i) => out.setInt32(4 * i, x, true));
  return new Uint8Array(out.buffer);
}

function sha1(bytes) {
  const view = padded(bytes, 64);
  const h = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  for (let at = 0; at < view.byteLength; at += 64) {
    const w = [];
    for (let i = 0; i < 80; i++) {
      w.push(i < 16 ? view.getInt32(at + 4 * i) : rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1));
    }
    let [a, b, c, d, e] = h;
    for (let i = 0; i < 80; i++) {
      const round = Math.floor(i / 20);
      const f = [(b & c) | (~b & d), b ^ c ^ d, (b & c) | (b & d) | (c & d), b ^ c ^ d][round];
      const k = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6][round];
      [a, b, c, d, e] = [(rotl(a, 5) + f + e + k + w[i]) | 0, a, rotl(b, 30), c, d];
    }
    [a, b, c, d, e].forEach((x, i) => { h[i] = (h[i] + x) | 0; });
  }
  const out = new DataView(new ArrayBuffer(20));
  h.forEach((x, i) => out.setInt32(4 * i, x));
  return new Uint8Array(out.buffer);
}

// sha2 is SHA-256 in words of 32 bits, SHA-384 and SHA-512 in words of 64.
function sha2(bytes, bits, h, length) {
  const size = bits / 8;
  const rounds = bits === 32 ? 64 : 80;
  const k = primes(rounds).map((p) => root(p, 3, bits));
  const word = (x) => BigInt.asUintN(bits, x);
  const rotr = (x, n) => word((x >> BigInt(n)) | (x << BigInt(bits - n)));
  const [s0, s1, S0, S1] = bits === 32
    ? [[7, 18, 3], [17, 19, 10], [2, 13, 22], [6, 11, 25]]
    : [[1, 8, 7], [19, 61, 6], [28, 34, 39], [14, 18, 41]];
  const small = (x, [p, q, r]) => rotr(x, p) ^ rotr(x, q) ^ (x >> BigInt(r));
  const big = (x, [p, q, r]) => rotr(x, p) ^ rotr(x, q) ^ rotr(x, r);
  const view = padded(bytes, 16 * size);
  for (let at = 0; at < view.byteLength; at += 16 * size) {
    const w = [];
    for (let i = 0; i < rounds; i++) {
      if (i >= 16) w.push(word(small(w[i - 2], s1) + w[i - 7] + small(w[i - 15], s0) + w[i - 16]));
      else w.push(bits === 32 ? BigInt(view.getUint32(at + 4 * i)) : view.getBigUint64(at + 8 * i));
    }
    let [a, b, c, d, e, f, g, last] = h;
    for (let i = 0; i < rounds; i++) {
      const t1 = last + big(e, S1) + ((e & f) ^ (word(~e) & g)) + k[i] + w[i];
      const t2 = big(a, S0) + ((a & b) ^ (a & c) ^ (b & c));
      [a, b, c, d, e, f, g, last] = [word(t1 + t2), a, b, c, word(d + t1), e, f, g];
    }
    h = [a, b, c, d, e, f, g, last].map((x, i) => word(h[i] + x));
  }
  const out = new DataView(new ArrayBuffer(8 * size));
  h.forEach((x, i) => (bits === 32 ? out.setUint32(4 * i, Number(x)) : out.setBigUint64(8 * i, x)));
  return new Uint8Array(out.buffer, 0, length);
}

// digest gives the bytes of a digest by its name, null if there is none such.
export function digest(name, bytes) {
  switch (name) {
    case 'MD5': return md5(bytes);
    case 'SHA-1': return sha1(bytes);
    case 'SHA-256': return sha2(bytes, 32, primes(8).map((p) => root(p, 2, 32)), 32);
    case 'SHA-384': return sha2(bytes, 64, primes(16).slice(8).map((p) => root(p, 2, 64)), 48);
    case 'SHA-512': return sha2(bytes, 64, primes(8).map((p) => root(p, 2, 64)), 64);
  }
  return null;
}
