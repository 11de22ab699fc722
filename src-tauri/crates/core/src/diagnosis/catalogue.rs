//! What codes mean, who can mend them and how, in three languages: one data file, checked when it is loaded in the tests.
