/** Longshore starts threads from files of its own, so it stays out of the bundle. */
export default { serverExternalPackages: ['longshore'] };
