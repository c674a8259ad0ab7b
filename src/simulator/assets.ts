/** What the hosted page loads. Files of their own, so that the page needs no inline style or script. */
import { crc32, deflateSync } from 'node:zlib';

export const pageStyle = `:root {
  --ground: #f2f4f8; --card: #fff; --text: #12151c; --quiet: #596070; --line: #d9dde6;
  --accent: #2a50ff; --on-accent: #fff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0b0e15; --card: #171b24; --text: #eef0f5; --quiet: #a2a9b8; --line: #323847;
    --accent: #8fa1ff; --on-accent: #0b0e15;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif;
}
.banner {
  margin: 0; padding: .5rem 1rem; text-align: center; font-size: .875rem;
  background: #ffe9b8; color: #3d2a00;
}
main {
  width: min(26rem, calc(100% - 2rem)); margin: 2rem auto; padding: 1.5rem;
  background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
}
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 1rem; color: var(--quiet); }
.banner + main p:last-child { margin-bottom: 0; }
.ring {
  position: relative; width: 9rem; height: 9rem; margin: 0 0 1rem; overflow: hidden;
  border: 3px solid var(--accent); border-radius: 50%; background: var(--ground);
}
.ring::before {
  content: ''; position: absolute; inset: 25%;
  border: 3px solid var(--accent); border-radius: 50%;
}
.ring video { position: relative; width: 100%; height: 100%; object-fit: cover; transform: scaleX(-1); }
form { display: grid; gap: .625rem; }
label { display: grid; gap: .25rem; font-size: .875rem; color: var(--quiet); }
input {
  min-height: 2.75rem; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--ground); color: var(--text); font: inherit; font-size: 1rem;
}
button {
  min-height: 2.75rem; padding: .5rem 1rem; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--card); color: var(--text); font: inherit; font-weight: 600; cursor: pointer;
}
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.link { padding: 0; border: 0; color: var(--accent); text-decoration: underline; }
button:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
dl {
  display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 1.25rem 0 0;
  padding-top: 1rem; border-top: 1px solid var(--line); font-size: .875rem;
}
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
`;

/** The picture stays in the page. The look at the state is for a computer whose phone has finished the check. */
export const pageScript = `const video = document.querySelector('[data-preview]');
const button = document.querySelector('[data-camera]');
if (navigator.mediaDevices?.getUserMedia) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user' } });
      video.hidden = false;
      button.hidden = true;
      await video.play();
    } catch {
      button.disabled = true;
      button.textContent = 'No camera here. The buttons work without one.';
    }
  });
}
setInterval(async () => {
  const answer = await fetch(location.pathname + '/state').catch(() => undefined);
  if (answer?.ok && !(await answer.json()).open) location.reload();
}, 3000);
`;

/**
 * A drawn face, nobody's: what the seed's bytes are decides how wide, how high and how dark. Drawn on a grid of 96
 * by 96, whatever size it gets.
 */
export function facePng(seed: Buffer, size: number): Buffer {
  const between = (byte: number, low: number, high: number) =>
    low + ((seed[byte] ?? 0) / 255) * (high - low);
  const [ground, ink] = [Math.round(between(0, 190, 245)), Math.round(between(1, 20, 80))];
  const [head, eye, apart] = [between(2, 36, 45), between(3, 3, 7), between(4, 9, 18)];
  const [height, mouth, smile] = [between(5, 34, 46), between(6, 60, 74), between(7, 6, 18)];
  const isInk = (x: number, y: number) =>
    Math.abs(Math.hypot(x - 48, y - 48) - head) < 3 ||
    Math.hypot(Math.abs(x - 48) - apart, y - height) < eye ||
    (Math.abs(x - 48) < smile && Math.abs(y - mouth) < 1.5);
  const grid = (at: number) => (at / size) * 96;
  const rows = Array.from({ length: size }, (_, y) => [
    0,
    ...Array.from({ length: size }, (__, x) => (isInk(grid(x), grid(y)) ? ink : ground)),
  ]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // Eight bits of grey; compression, filter and interlace as ever.
  header.writeUInt8(8, 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.from(rows.flat()))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(typed), 4);
  return Buffer.concat([frame.subarray(0, 4), typed, frame.subarray(4)]);
}
