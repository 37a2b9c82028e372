#!/usr/bin/env bash
# Makes the documents beside it from source/*.md with pandoc and LibreOffice (writer, calc, no display needed) and a font with Chinese
# (Debian: pandoc libreoffice-writer-nogui libreoffice-calc-nogui fonts-wqy-microhei). The results are committed; run it only to change them.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
office() { soffice --headless "-env:UserInstallation=file://$work/profile" "$@" >/dev/null 2>&1; }

for name in lighthouse tea pump library bakery; do
    pandoc "source/$name.md" -o "$name.pandoc.docx"
    pandoc -s "source/$name.md" -o "$work/$name.html"
    pandoc "source/$name.md" -o "$work/$name.odt"
    office --convert-to docx --outdir "$work" "$work/$name.odt"
    mv "$work/$name.docx" "$name.libreoffice.docx"
    office --convert-to pdf --outdir "$work" "$work/$name.odt"
    mv "$work/$name.pdf" "$name.libreoffice.pdf"
done
mv "$work/tea.html" tea.pandoc.html
office --convert-to doc --outdir "$work" "$work/lighthouse.odt" && mv "$work/lighthouse.doc" lighthouse.libreoffice.doc
office --infilter=CSV:44,34,76 --convert-to xlsx --outdir "$work" stock.csv && mv "$work/stock.xlsx" stock.libreoffice.xlsx
office --infilter=CSV:44,34,76 --convert-to xls --outdir "$work" stock.csv && mv "$work/stock.xls" stock.libreoffice.xls
ls -l
