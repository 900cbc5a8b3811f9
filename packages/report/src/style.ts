/** The page's own style: light, dark (by the system, or by the switch at the top) and paper. No font is fetched. */
export const STYLE = `
:root{--bg:#fff;--panel:#f6f7f9;--ink:#1c2330;--muted:#5b6472;--line:#dde1e7;--good:#1a7f4b;--bad:#b42318;--warn:#946200;
--c1:#3266c8;--c2:#d9730d;--c3:#1a8a6d;--c4:#a43fb0;--c5:#b8860b;--c6:#5b6472;color-scheme:light}
@media (prefers-color-scheme:dark){:root:not(:has(#light:checked)){--bg:#12161d;--panel:#1a2029;--ink:#e6e9ee;--muted:#9aa4b2;--line:#303844;
--good:#4cc38a;--bad:#ff8577;--warn:#e5b454;--c1:#7aa7ff;--c2:#ffa75c;--c3:#5fd0b0;--c4:#d58be0;--c5:#e6c358;--c6:#9aa4b2;color-scheme:dark}}
:root:has(#dark:checked){--bg:#12161d;--panel:#1a2029;--ink:#e6e9ee;--muted:#9aa4b2;--line:#303844;
--good:#4cc38a;--bad:#ff8577;--warn:#e5b454;--c1:#7aa7ff;--c2:#ffa75c;--c3:#5fd0b0;--c4:#d58be0;--c5:#e6c358;--c6:#9aa4b2;color-scheme:dark}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1120px;margin:0 auto;padding:0 20px 64px}
header{display:flex;flex-wrap:wrap;gap:8px 24px;align-items:flex-start;justify-content:space-between;padding:28px 0 8px}
h1{font-size:26px;line-height:1.2;margin:0;overflow-wrap:anywhere}
h2{font-size:18px;margin:36px 0 10px;scroll-margin-top:12px}
h3{font-size:15px;margin:20px 0 6px;overflow-wrap:anywhere}
p{margin:6px 0}.muted{color:var(--muted)}
.tag{display:inline-block;padding:1px 10px;border-radius:99px;border:1px solid currentColor;font-weight:600;font-size:13px;white-space:nowrap}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}.idle{color:var(--muted)}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;padding:8px 0;border-bottom:1px solid var(--line)}
a{color:var(--c1)}a:focus-visible,summary:focus-visible,input:focus-visible+label{outline:2px solid var(--c1);outline-offset:2px;border-radius:4px}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));border:1px solid var(--line);border-radius:10px;overflow:hidden;margin:16px 0}
.facts div{box-shadow:0 0 0 .5px var(--line);padding:8px 12px;overflow-wrap:anywhere}.facts dt{color:var(--muted);font-size:12px}.facts dd{margin:0}
dl{margin:0}
.scroll{overflow:auto;border:1px solid var(--line);border-radius:10px;max-height:720px}.scroll:focus-visible{outline:2px solid var(--c1)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:6px 12px;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}th{color:var(--muted);font-weight:500;font-size:13px;background:var(--panel);position:sticky;top:0;white-space:nowrap}
td.n,th.n{text-align:right;white-space:nowrap}td.best{font-weight:700;color:var(--good)}
td code{white-space:nowrap}td.wide code{white-space:normal}
tr:target{background:var(--panel)}td.wide{min-width:220px;overflow-wrap:anywhere}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}code{overflow-wrap:anywhere}
pre{margin:0;padding:12px 16px;background:var(--panel);border:1px solid var(--line);border-radius:10px;overflow:auto;max-height:560px}
.notice{border-left:4px solid currentColor;background:var(--panel);padding:8px 14px;border-radius:0 8px 8px 0;margin:10px 0;overflow-wrap:anywhere}
.notice p,.notice code{color:var(--ink)}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,460px),1fr));gap:16px}
figure{margin:0;border:1px solid var(--line);border-radius:10px;padding:12px;min-width:0}
figure svg{width:100%;max-width:720px;height:auto;display:block}figure img{width:100%;max-width:480px;display:block;image-rendering:pixelated}
figcaption{font-weight:500;margin-bottom:8px;overflow-wrap:anywhere}
.graph{display:block;margin:12px}.graph .edge{fill:none;stroke:var(--muted);stroke-width:1.2}.graph .tip{fill:var(--muted)}
.graph a{text-decoration:none}
.graph rect{fill:var(--panel);stroke:currentColor;stroke-width:1.4}.graph .name{fill:var(--ink);font:600 13px system-ui,sans-serif}.graph .detail{fill:var(--muted);font:12px system-ui,sans-serif}
.graph a:focus-visible rect{stroke-width:3}
details{margin:8px 0}summary{cursor:pointer;color:var(--muted)}
.themes{display:flex;border:1px solid var(--line);border-radius:99px;overflow:hidden;font-size:13px}.themes input{position:absolute;opacity:0}.themes label{padding:3px 12px;cursor:pointer;color:var(--muted)}.themes input:checked+label{background:var(--panel);color:var(--ink)}
.box{vertical-align:middle}.box line{stroke:var(--muted)}.box rect{fill:var(--c1);opacity:.55}.box .mid{stroke:var(--ink);stroke-width:2}
@media (max-width:600px){main{padding:0 14px 48px}th,td{padding:6px 8px}h1{font-size:22px}.facts{grid-template-columns:1fr 1fr}}
@media print{:root{--bg:#fff;--panel:#fff;--ink:#000;--muted:#444;--line:#bbb}nav,.themes{display:none}.scroll,pre{max-height:none;overflow:visible}figure,tr{break-inside:avoid}h2{break-after:avoid}.graph{max-width:100%;height:auto}}
`;
