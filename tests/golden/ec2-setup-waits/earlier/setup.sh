#!/bin/sh
pip install pandas
