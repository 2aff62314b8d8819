// Opens every part of each framed page and tells what does not fit, or was fetched.
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map((frame) => {
    const page = frame.contentDocument, width = frame.clientWidth;
    page.querySelectorAll("details").forEach((each) => { each.open = true; });
    const named = (each) => `${each.tagName} ${each.textContent.trim().slice(0, 40)}`;
    const out = [...page.body.querySelectorAll("*:not(.skip)")].filter((each) => {
      const box = each.getBoundingClientRect();
      const scrolled = each.closest(".scroll") && !each.matches(".scroll");
      return !scrolled && box.width > 1 && !each.closest("defs") && (box.left < -1 || box.right > width + 1);
    });
    const touching = [...page.querySelectorAll("svg g")].filter((lane) => {
      const label = [...lane.querySelectorAll(":scope > .label")].find((each) => each.getBoundingClientRect().width);
      const value = lane.querySelector(":scope > .value");
      if (!label || !value) return false;
      const [a, b] = [label.getBoundingClientRect(), value.getBoundingClientRect()];
      return a.bottom - 2 > b.top && b.bottom - 2 > a.top && a.right > b.left;
    });
    const letters = [...page.querySelectorAll("svg text")].map((each) => each.getBoundingClientRect().height).filter(Boolean);
    return {
      name: frame.dataset.name,
      width,
      overflow: page.documentElement.scrollWidth - width,
      out: out.map(named),
      touching: touching.map(named),
      smallest: letters.length ? Math.min(...letters) : null,
      pictures: page.querySelectorAll("svg").length,
      fetched: frame.contentWindow.performance.getEntriesByType("resource").length,
    };
  });
  const answer = document.createElement("pre");
  answer.id = "answer";
  answer.textContent = JSON.stringify(found);
  document.body.append(answer);
});
