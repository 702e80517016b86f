const f = async (how) => {
  if (how === 'exit') process.exit(3);
  if (how === 'later') {
    setImmediate(() => {
      throw new Error('late');
    });
    await new Promise(() => {});
  }
  if (how === 'loop') for (;;);
  if (how === 'wait') await new Promise((r) => setTimeout(r, 600));
  return 'ok';
};
export default f;
