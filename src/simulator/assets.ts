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
button {
  min-height: 2.75rem; padding: .5rem 1rem; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--card); color: var(--text); font: inherit; font-weight: 600; cursor: pointer;
}
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.link { padding: 0; border: 0; color: var(--accent); text-decoration: underline; }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
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

/** A drawn face for reference images: two eyes in a circle, 96 pixels square, nobody's. */
export function facePng(): Buffer {
  const size = 96;
  const isInk = (x: number, y: number) =>
    Math.abs(Math.hypot(x - 48, y - 48) - 40) < 3 ||
    Math.hypot(x - 34, y - 40) < 5 ||
    Math.hypot(x - 62, y - 40) < 5;
  const rows = Array.from({ length: size }, (_, y) => [
    0,
    ...Array.from({ length: size }, (_, x) => (isInk(x, y) ? 40 : 235)),
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
