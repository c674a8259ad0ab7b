/**
 * Takes the accessor `__proto__` away from all objects, as `node --disable-proto=delete` does, however the program was
 * started. Copying what somebody sent can then change the prototype of nothing. What main.ts imports first, so that
 * no code runs before it.
 */
Reflect.deleteProperty(Object.prototype, '__proto__');
