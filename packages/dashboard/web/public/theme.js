// Runs before anything is painted, so that no page flashes in the wrong theme; a file of its own, for the page's CSP forbids inline scripts.
(() => {
  let wanted = null;
  try {
    wanted = localStorage.getItem('codis.theme');
  } catch (error) {
    // A browser that keeps nothing: the theme is the system's.
    if (!(error instanceof DOMException)) throw error;
  }
  const dark = wanted === 'dark' || (wanted !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
