// Deterministic ECDSA (RFC 6979), so that the vectors come out the same each time.
// Node signs with random nonces. For tests only: BigInt is not constant-time.
import crypto from 'node:crypto';

const curves = {
  'P-256': { name: 'prime256v1', n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n, bits: 256 },
  'P-521': { name: 'secp521r1', n: 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n, bits: 521 },
};
const toInt = (b) => BigInt('0x' + b.toString('hex'));
const toBytes = (x, size) => Buffer.from(x.toString(16).padStart(size * 2, '0'), 'hex');
const mod = (x, n) => ((x % n) + n) % n;
function inverse(a, n) {
  let [r0, r1, s0, s1] = [n, mod(a, n), 0n, 1n];
  while (r1 !== 0n) { const q = r0 / r1; [r0, r1, s0, s1] = [r1, r0 - q * r1, s1, s0 - q * s1]; }
  return mod(s0, n);
}

function signRS(hash, pem, message) {
  const jwk = crypto.createPrivateKey(pem).export({ format: 'jwk' });
  const { name, n, bits } = curves[jwk.crv], size = Math.ceil(bits / 8);
  const d = toInt(Buffer.from(jwk.d, 'base64url'));
  const leftmost = (b) => { const x = toInt(b), extra = BigInt(Math.max(0, b.length * 8 - bits)); return x >> extra; };
  const digest = crypto.createHash(hash).update(message).digest();
  const e = leftmost(digest), h1 = toBytes(mod(e, n), size), x = toBytes(d, size);
  const mac = (k, ...parts) => crypto.createHmac(hash, k).update(Buffer.concat(parts)).digest();
  let v = Buffer.alloc(digest.length, 1), k = Buffer.alloc(digest.length, 0);
  for (const sep of [0, 1]) { k = mac(k, v, Buffer.from([sep]), x, h1); v = mac(k, v); }
  for (;;) {
    let t = Buffer.alloc(0);
    while (t.length < size) { v = mac(k, v); t = Buffer.concat([t, v]); }
    const nonce = leftmost(t.subarray(0, size));
    if (nonce > 0n && nonce < n) {
      const ecdh = crypto.createECDH(name);
      ecdh.setPrivateKey(toBytes(nonce, size));
      const r = mod(toInt(ecdh.getPublicKey().subarray(1, 1 + size)), n);
      const s = mod(inverse(nonce, n) * (e + r * d), n);
      if (r !== 0n && s !== 0n) return [toBytes(r, size), toBytes(s, size)];
    }
    k = mac(k, v, Buffer.from([0]));
    v = mac(k, v);
  }
}

// ecdsaRaw is r and s side by side, as JWS wants it; ecdsaDer is ASN.1.
export const ecdsaRaw = (hash, pem, message) => Buffer.concat(signRS(hash, pem, message));
export function ecdsaDer(hash, pem, message) {
  const wrap = (tag, b) => Buffer.concat([Buffer.from(b.length < 128 ? [tag, b.length] : [tag, 0x81, b.length]), b]);
  const integer = (b) => { let i = 0; while (i < b.length - 1 && b[i] === 0) i++; b = b.subarray(i); return wrap(2, b[0] & 128 ? Buffer.concat([Buffer.from([0]), b]) : b); };
  return wrap(0x30, Buffer.concat(signRS(hash, pem, message).map(integer)));
}
