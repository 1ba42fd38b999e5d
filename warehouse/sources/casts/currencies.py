"""Currencies in use, by their ISO 4217 codes."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.sources.casts.casts import Cast, null_if, refused

# ISO 4217 list one, without funds, metals, bond units, XTS and XXX; with those that bills of 2025 may still carry.
_CODES: Final = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG
HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA
MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD
RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
IN_USE: Final = tuple(_CODES.split())


def currency(cells: pl.Series) -> Cast:
    """ISO 4217 codes in upper case. Reason: bad_currency, for an empty cell too."""
    codes = null_if(cells).str.to_uppercase()
    is_known = codes.is_in(IN_USE).fill_null(value=False)
    return Cast(pl.select(pl.when(is_known).then(codes)).to_series(), refused(~is_known, "bad_currency"))
