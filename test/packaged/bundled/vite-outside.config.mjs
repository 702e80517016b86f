/** A program for servers, as Vite builds them. */
export default {
  build: { ssr: true, outDir: 'vite-outside', rollupOptions: { input: ['program.mjs', 'tasks.mjs'] } },
};
