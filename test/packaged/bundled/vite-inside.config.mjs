/** A program for servers, as Vite builds them, with Longshore in it. */
export default {
  ssr: { noExternal: ['longshore'] },
  build: { ssr: true, outDir: 'vite-inside', rollupOptions: { input: ['program.mjs', 'tasks.mjs'] } },
};
