"""The typefaces of the report: files under the SIL Open Font License, their widths, and the script that made them."""
