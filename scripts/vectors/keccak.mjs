// Keccak-256 as Ethereum uses it: the sponge of SHA-3 with the older padding.
const rounds = [];
for (let i = 0, r = 1; i < 24; i++) {
  let c = 0n;
  for (let j = 0; j < 7; j++) { if (r & 1) c |= 1n << ((1n << BigInt(j)) - 1n); r = (r << 1) ^ (r & 0x80 ? 0x171 : 0); }
  rounds.push(c);
}
const mask = (1n << 64n) - 1n;
const rotate = (x, n) => (n === 0n ? x : ((x << n) | (x >> (64n - n))) & mask);

function permute(s) {
  for (const constant of rounds) {
    const c = [0, 1, 2, 3, 4].map((x) => s[x] ^ s[x + 5] ^ s[x + 10] ^ s[x + 15] ^ s[x + 20]);
    for (let x = 0; x < 5; x++) { const d = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1n); for (let y = 0; y < 25; y += 5) s[x + y] ^= d; }
    let [x, y, current] = [1, 0, s[1]];
    for (let t = 0; t < 24; t++) {
      [x, y] = [y, (2 * x + 3 * y) % 5];
      [current, s[x + 5 * y]] = [s[x + 5 * y], rotate(current, BigInt((((t + 1) * (t + 2)) / 2) % 64))];
    }
    for (let row = 0; row < 25; row += 5) {
      const r = s.slice(row, row + 5);
      for (let i = 0; i < 5; i++) s[row + i] = r[i] ^ (~r[(i + 1) % 5] & mask & r[(i + 2) % 5]);
    }
    s[0] ^= constant;
  }
}

export function keccak256(data) {
  const rate = 136, s = Array(25).fill(0n);
  const padded = Buffer.concat([data, Buffer.alloc(rate - (data.length % rate))]);
  padded[data.length] ^= 1;
  padded[padded.length - 1] ^= 0x80;
  for (let at = 0; at < padded.length; at += rate) {
    for (let i = 0; i < rate / 8; i++) s[i] ^= padded.readBigUInt64LE(at + i * 8);
    permute(s);
  }
  const out = Buffer.alloc(32);
  for (let i = 0; i < 4; i++) out.writeBigUInt64LE(s[i], i * 8);
  return out;
}
