"""The types of the interface, one module for each WIT interface, with the names that componentize-py gives them.

Not here: anything that runs. In a component these very classes are what the runtime makes and takes (`_link`).
A test compares them with the WIT files, field by field.
"""
