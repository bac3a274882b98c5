#!/bin/sh
pip install pandas polars
