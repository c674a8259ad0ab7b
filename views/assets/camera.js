// Says before the selfie, not after it, that this device has no camera. Counting devices asks for no permission.
const devices = await navigator.mediaDevices?.enumerateDevices().catch(() => undefined);
if (devices && !devices.some((device) => device.kind === 'videoinput')) {
  document.querySelector('[data-no-camera]').hidden = false;
}
