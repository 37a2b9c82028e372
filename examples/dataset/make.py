#!/usr/bin/env python3
"""Writes the five parquet files of this folder: a small dataset for evaluation runs, built into the server as `default`.

    pip install pyarrow && python3 make.py

A dataset of your own has the same files and columns; put it into `dataset/NAME/` beside the server and name it in
`{"dataset_id": "NAME"}`. Ids are whole numbers, texts are UTF-8, files are uncompressed or packed with snappy.
"""

import pathlib

import pyarrow
import pyarrow.parquet

# Passages by id. Those that answer nothing are there to be left behind.
CORPUS = {
    0: "The harbour of Vessen lies in a bay that opens to the south-west, so winter storms roll straight into the outer basin.",
    1: "Ships longer than 90 metres must take a pilot on board at the Corran buoy before they enter the harbour of Vessen.",
    2: "The light on the eastern mole of Vessen is green and flashes every four seconds; the western one is red and steady.",
    3: "Mooring fees in Vessen are paid at the harbour office by the fish market, which is open from seven in the morning until six in the evening.",
    4: "The fish market of Vessen was built in 1911 after a fire destroyed the wooden halls on the quay.",
    5: "Between November and March the small ferry to Anholm sails only twice a day, at eight and at four o'clock.",
    6: "In summer the ferry to Anholm leaves Vessen every hour, and bicycles travel free of charge.",
    7: "Diesel is sold at the pontoon next to the slipway; petrol has to be carried from the station on the coast road.",
    8: "The lifeboat of Vessen is called Marit Lund and has room for twelve rescued people besides her crew of five.",
    9: "Anyone who hears the siren three times in a row should leave the quays, because the storm gate will be closed within ten minutes.",
    10: "The storm gate was last replaced in 2004; its two steel wings weigh forty tonnes each.",
    11: "Seals rest on the skerries north of Anholm, and boats must keep a distance of two hundred metres from them in June.",
    12: "青石镇的图书馆每周一闭馆，其余日子从上午九点开放到晚上八点。",
    13: "在青石镇图书馆，一张借书证最多可以同时借十本书，借期为三十天。",
    14: "逾期还书每本每天收费两角，儿童读物不收逾期费。",
    15: "青石镇图书馆的古籍室在三楼，查阅古籍需要提前两天预约。",
    16: "图书馆的前身是一座建于清代的盐仓，厚厚的石墙使夏天的阅览室十分凉爽。",
    17: "每月第一个星期六，图书馆的一楼大厅会举办旧书交换会。",
    18: "青石镇的渡口在图书馆以东五百米处，渡船每二十分钟一班。",
    19: "镇上的茶馆大多在清晨五点开门，午后才会热闹起来。",
}

# Id, question, relevant passages, id of the answer, answer.
QUESTIONS = [
    (1, "Which ships need a pilot to enter the harbour of Vessen?", [1], 101, "Ships longer than 90 metres need a pilot."),
    (2, "What colour are the lights on the moles of Vessen?", [2], 102, "The eastern light is green and the western one is red."),
    (3, "Where and when can mooring fees be paid?", [3], 103, "At the harbour office by the fish market, from seven in the morning until six in the evening."),
    (4, "How often does the ferry to Anholm sail in winter and in summer?", [5, 6], 104, "Twice a day from November to March, and every hour in summer."),
    (5, "What does it mean when the siren sounds three times?", [9], 105, "The storm gate will be closed within ten minutes, so everyone should leave the quays."),
    (6, "How many people can the lifeboat Marit Lund rescue?", [8], 106, "It has room for twelve rescued people."),
    (7, "Where can a boat get diesel or petrol?", [7], 107, "Diesel at the pontoon next to the slipway, petrol at the station on the coast road."),
    (8, "青石镇图书馆星期几闭馆？", [12], 108, "图书馆每周一闭馆。"),
    (9, "一张借书证可以借几本书，可以借多久？", [13], 109, "最多可以同时借十本书，借期为三十天。"),
    (10, "怎样才能查阅古籍？", [15], 110, "需要提前两天预约，古籍室在三楼。"),
    (11, "逾期还书要交多少钱？", [14], 111, "每本每天两角，儿童读物不收逾期费。"),
    (12, "旧书交换会什么时候举办？", [17], 112, "每月第一个星期六。"),
]


def write(name, **columns):
    table = pyarrow.table({column: pyarrow.array(values, kind) for column, (values, kind) in columns.items()})
    pyarrow.parquet.write_table(table, pathlib.Path(__file__).parent / f"{name}.parquet", compression="snappy")


def main():
    number, text = pyarrow.int64(), pyarrow.string()
    write("corpus", id=(list(CORPUS), number), text=(list(CORPUS.values()), text))
    write("queries", id=([row[0] for row in QUESTIONS], number), text=([row[1] for row in QUESTIONS], text))
    write("answers", id=([row[3] for row in QUESTIONS], number), text=([row[4] for row in QUESTIONS], text))
    write("qas", qid=([row[0] for row in QUESTIONS], number), aid=([row[3] for row in QUESTIONS], number))
    pairs = [(row[0], passage) for row in QUESTIONS for passage in row[2]]
    write("qrels", qid=([pair[0] for pair in pairs], number), pid=([pair[1] for pair in pairs], number))


if __name__ == "__main__":
    main()
